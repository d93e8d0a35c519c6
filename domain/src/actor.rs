//! An actor: whoever did a customer's activities, by the name that these give. It has traits, and is a stream of its own;
//! it need not have an activity. That two names mean one actor is said by [`crate::identity`].

mod aggregate;
mod event;

pub use aggregate::{Actor, ActorCommand, ActorError};
pub use event::*;
