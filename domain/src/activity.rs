//! An activity: something that a customer's actor did. Each is a stream of its own.

mod aggregate;
mod content;
mod event;
mod kind;
mod mention;
mod revision;
mod value;

pub use aggregate::{Activity, ActivityCommand, ActivityError};
pub(crate) use content::check_actor;
pub use content::{ActivityContent, ContentFault, LIMITS, OccurredAtSource, Pending};
pub use event::*;
pub use kind::{TYPE_CHARS_MAX, check_type};
pub use mention::mentions;
pub use revision::Revision;
pub use value::exact_number;
