use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::activity::Activity;
use domain::{ActivityId, CustomerId, DecodeError, EventPayload, Json, Partition};
use serde::Serialize;
use uuid::Uuid;

/// An event as it lies in the log.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedEvent {
    /// Its partition.
    pub partition: Partition,
    /// Its place in the partition: 1, 2, 3 … without a hole.
    pub position: i64,
    /// `activity`, `dead_letter`, `token` or `customer`.
    pub aggregate_type: String,
    /// Its stream.
    pub aggregate_id: String,
    /// Its place in the stream, from 1.
    pub sequence: i64,
    /// As `ActivityRecorded`.
    pub event_type: String,
    /// The version of the payload.
    pub event_version: String,
    /// When it was recorded; never goes back within a partition.
    pub recorded_at: DateTime<Utc>,
    /// Its own id.
    pub event_id: Uuid,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What happened.
    pub payload: Json,
    /// Who did it, and with which request.
    pub metadata: Json,
}

impl RecordedEvent {
    /// Reads the payload, of whatever version.
    ///
    /// # Errors
    /// [`DecodeError`] for a type or version that this program does not know.
    pub fn decode<E: EventPayload>(&self) -> Result<E, DecodeError> {
        E::decode(&self.event_type, &self.event_version, &self.payload.0)
    }
}

/// An event as auditors read it: an activity's also by the client's own id.
#[derive(Debug, Serialize)]
pub struct HistoryEvent<'a> {
    #[serde(flatten)]
    event: &'a RecordedEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_id: Option<&'a str>,
}

impl<'a> From<&'a RecordedEvent> for HistoryEvent<'a> {
    fn from(event: &'a RecordedEvent) -> Self {
        let is_activity = event.aggregate_type == Activity::TYPE;
        Self { event, activity_id: ActivityId::of_stream(&event.aggregate_id).filter(|_| is_activity) }
    }
}

/// An event that is to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its own id: by it an appender that lost the answer to its commit recognises what it stored.
    pub event_id: Uuid,
    /// As `ActivityRecorded`.
    pub event_type: String,
    /// The version of the payload.
    pub event_version: String,
    /// JSON.
    pub payload: String,
    /// JSON.
    pub metadata: String,
}

/// Events of one stream that are stored whole or not at all.
#[derive(Clone, Debug)]
pub struct Append {
    /// The customer's partition.
    pub partition: Partition,
    /// Whose events they are.
    pub customer_id: CustomerId,
    /// `activity`, `dead_letter`, `token` or `customer`.
    pub aggregate_type: &'static str,
    /// The stream.
    pub aggregate_id: String,
    /// The sequence of the first event: one more than the stream has.
    pub sequence: i64,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// What became of an [`Append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is durable.
    Stored {
        /// Of its first event; the others follow without a gap.
        position: i64,
        /// When.
        recorded_at: DateTime<Utc>,
    },
    /// The stream has one of the sequences already; nothing was stored.
    Refuted,
}
