//! Publish and subscribe: the traits, the outbox relay that publishes, and the embedded adapter.
//!
//! Invariants: the log is the truth and the bus only carries it; the relay publishes at least once and in order within a
//! partition, and a consumer's checkpoint makes it exactly once; losing a wake-up is harmless, because every wait has a
//! slow poll behind it.

pub mod conformance;
mod embedded;
mod error;
mod relay;
mod traits;

pub use embedded::{EmbeddedPublisher, EmbeddedSubscription};
pub use error::BusError;
pub use relay::Relay;
pub use traits::{EventPublisher, EventSubscription, Published};

#[cfg(test)]
mod tests;
