//! A dead letter: an event that a projection could not fold. Each is a stream of its own, which begins when it is
//! discarded.

mod aggregate;
mod event;

pub use aggregate::{DeadLetter, DeadLetterCommand, DeadLetterError};
pub use event::*;
