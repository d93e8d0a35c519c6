//! What Daybook means: aggregates, commands, events, and the rules between them.
//!
//! Invariants: this crate does no I/O and knows no driver; time and ids come in with the command; an event, once
//! published, can be decoded for ever ([`upcast`]).

pub mod activity;
pub mod actor;
mod aggregate;
pub mod customer;
pub mod dead_letter;
mod decimal;
mod decode;
mod hex;
pub mod identity;
mod ids;
mod json;
mod partition;
pub mod token;
pub mod upcast;

pub use decimal::Decimal;
pub use decode::{DecodeError, EventPayload};
pub use hex::hex;
pub use ids::{ActivityId, CustomerId, MemberId, TokenId};
pub use json::{Json, JsonFault, JsonLimits, canonical_line};
pub use partition::{Partition, Partitions};
