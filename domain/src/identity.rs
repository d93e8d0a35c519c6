//! Identities: which names of a customer's actors mean one actor. All of a customer's merges are one stream, since only an
//! order of all of them can say that no circle comes about.

mod aggregate;
mod event;

pub use aggregate::{CHAIN_ACTORS_MAX, Identities, IdentityCommand, IdentityError, Merge};
pub use event::*;
