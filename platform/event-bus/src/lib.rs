//! Publish and subscribe: the traits, the outbox relay that publishes, and the two adapters.
//!
//! Invariants: the log is the truth and the bus only carries it; the relay publishes at least once and in order within a
//! partition, and a consumer's checkpoint makes it exactly once; losing a wake-up is harmless, because every wait has a
//! slow poll behind it; log partition *n* is topic partition *n*; a relay that finds another event than the one it stands at,
//! in the log or at the end of the bus, stops that partition until an operator decides.

mod bus;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod embedded;
mod error;
mod feed;
mod group;
mod page;
pub mod pulsar;
mod relay;
mod traits;

pub use bus::Bus;
pub use embedded::{EmbeddedPublisher, EmbeddedSubscription};
pub use error::BusError;
pub use feed::Feed;
pub use group::Group;
pub use page::EventPage;
pub use pulsar::PulsarConfig;
pub use relay::{Relay, RelayStatus, relay_status, reset_relay};
pub use traits::{Carried, EventPublisher, EventSubscription, Published};

#[cfg(test)]
mod tests;
