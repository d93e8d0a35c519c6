use async_trait::async_trait;
use domain::Partition;
use event_store::RecordedEvent;

use crate::BusError;

/// Takes events from the log to the bus. Used by the relay of one partition at a time.
#[async_trait]
pub trait EventPublisher: Send + Sync + 'static {
    /// Publishes the events of a partition after position `after` up to `to`, in order, and answers up to where the bus
    /// has surely taken them; `after` if none.
    ///
    /// # Errors
    /// [`BusError`] if nothing more can be published now; the relay tries again later.
    async fn publish(&self, partition: Partition, after: i64, to: i64) -> Result<i64, BusError>;

    /// Called after a round over several partitions, so that an adapter can send one message for all.
    ///
    /// # Errors
    /// As [`Self::publish`]; the whole round is then repeated.
    async fn flush(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// That a partition has been published up to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The partition.
    pub partition: Partition,
    /// At least up to here.
    pub position: i64,
}

/// Hands published events to one consumer, which keeps its own checkpoint for each partition.
#[async_trait]
pub trait EventSubscription: Send + Sync + 'static {
    /// Waits until something may be new, and answers how far partitions have been published; may repeat itself.
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`BusError`]; the next call tries again.
    async fn published(&self) -> Result<Vec<Published>, BusError>;

    /// The published events of a partition after a position: in order, without a hole, at most `max`. Empty when there are
    /// none yet.
    ///
    /// # Errors
    /// [`BusError`]; the next call tries again.
    async fn fetch(
        &self,
        partition: Partition,
        after: i64,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, BusError>;

    /// Tells that the consumer has durably done with a partition up to a position and will never ask for it again.
    ///
    /// # Errors
    /// [`BusError`]; acknowledging a later position makes up for it.
    async fn acknowledge(&self, partition: Partition, position: i64) -> Result<(), BusError>;
}
