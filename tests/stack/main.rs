//! The whole stack, from outside: the binary, as a user runs it, and its HTTP interface.
//!
//! Invariants: a test that lacks something fails, it is never skipped; every program and every folder that a test made
//! is gone when the tests end, however they end; nothing listens on a fixed port.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests end by panicking, in what they share too")]

mod activities;
mod actors;
mod clients;
mod contract;
mod customers;
mod dead_letters;
mod faults;
mod frontend;
mod gateway;
mod history;
mod invitations;
mod matrix;
mod members;
mod operator;
mod owasp;
mod passwords;
mod processes;
mod projections;
mod proxy;
mod pulsar;
mod reports;
mod sessions;
mod support;
mod tokens;
