//! The Pulsar adapter.
//!
//! What must not be forgotten about the client: it gives no way to set a sequence id, so a producer with a fixed name on a
//! topic with the broker's deduplication would have its messages dropped in silence (no name is fixed here); and
//! acknowledgements make progress only while the consumer is polled (one task for each partition always polls).

mod admin;
mod buffer;
mod config;
mod connection;
mod last;
mod message;
mod publisher;
mod reader;
mod subscription;
mod tls;
mod topic;

#[cfg(test)]
pub(crate) use admin::Admin;
pub use config::PulsarConfig;
pub use connection::connect;
#[cfg(test)]
pub(crate) use message::tests as message_tests;
pub use message::{decode, encode};
pub use publisher::PulsarPublisher;
pub use subscription::PulsarSubscription;
