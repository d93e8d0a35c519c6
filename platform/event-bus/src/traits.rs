use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::{RecordedEvent, Stamp};
use uuid::Uuid;

use crate::{BusError, EventPage};

/// Takes events from the log to the bus. Used by the relay of one partition at a time.
#[async_trait]
pub trait EventPublisher: Send + Sync + 'static {
    /// Publishes the events of a partition after position `after` up to `to`, in order. Returns the last position
    /// that the bus has confirmed; `after` if none.
    ///
    /// # Errors
    /// [`BusError`] if nothing more can be published now; the relay tries again later.
    async fn publish(&self, partition: Partition, after: i64, to: i64) -> Result<i64, BusError>;

    /// The last event of a partition that the bus holds, as far as it knows. A relay asks before it publishes: if the log
    /// has another event there, it was set back, and what it would publish are second events of the same positions.
    ///
    /// # Errors
    /// [`BusError`]; the relay asks again later.
    async fn last(&self, _partition: Partition) -> Result<Option<Carried>, BusError> {
        Ok(None)
    }

    /// Called after a round over several partitions, so that an adapter can send one message for all.
    ///
    /// # Errors
    /// As [`Self::publish`]; the whole round is then repeated.
    async fn flush(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// An event that the bus holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its place in its partition.
    pub position: i64,
    /// Its own id.
    pub event_id: Uuid,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl Carried {
    /// Compares it with the event that the log has at its position.
    ///
    /// # Errors
    /// [`BusError::Diverged`] unless it is the same one.
    pub fn compare(&self, partition: Partition, found: Option<&Stamp>) -> Result<(), BusError> {
        let Self { position, event_id, recorded_at } = *self;
        let log_has = match found {
            Some(found) if found.event_id == event_id => return Ok(()),
            Some(found) => format!("the log has event {} of {} there", found.event_id, found.recorded_at),
            None => "the log ends before".to_owned(),
        };
        Err(BusError::Diverged(format!(
            "the bus ends with event {event_id} of {recorded_at} at partition {partition}, position {position}, and \
             {log_has}: the log was set back or is another one"
        )))
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
    /// Waits until something may be new, and returns how far partitions have been published; may repeat itself.
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

    /// The same for a fold, which needs less of each event: as cheaply as the adapter can. A page may end early where events
    /// are large.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    async fn fetch_page(&self, partition: Partition, after: i64, max: usize) -> Result<EventPage, BusError> {
        self.fetch(partition, after, max).await.map(EventPage::Carried)
    }

    /// Notes that the consumer has durably processed a partition up to a position and will never fetch it again.
    ///
    /// # Errors
    /// [`BusError`]; acknowledging a later position makes up for it.
    async fn acknowledge(&self, partition: Partition, position: i64) -> Result<(), BusError>;
}
