//! The log against a real server: what readers and writers rely on, whatever happens in between.

mod aggregates;
mod faults;
mod history;
mod identity;
mod immutable;
mod interleavings;
mod migrations;
mod positions;
mod proxy;
mod subject;
mod writable;
