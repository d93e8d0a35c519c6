//! What the tests of every part share.

mod client;
mod mail_server;
mod person;
mod program;
mod service;
mod stack;
mod wait;
mod wire;

pub(crate) use client::{Answer, Api, Customer, PASSWORD, http, send};
pub(crate) use mail_server::MailServer;
pub(crate) use person::{Person, accept, invite};
pub(crate) use program::{Finished, Program, command};
pub(crate) use service::{INTERNAL_KEY, Service};
pub(crate) use stack::{Stack, shared};
pub(crate) use wait::{PATIENCE, eventually, within};
pub(crate) use wire::Wire;
