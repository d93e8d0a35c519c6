use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use domain::{CustomerId, DecodeError, EventPayload, Json, Partition};
use serde::Serialize;
use uuid::Uuid;

/// An event as it lies in the log.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedEvent {
    /// Its partition.
    pub partition: Partition,
    /// Its place in the partition: 1, 2, 3 … without a hole.
    pub position: i64,
    /// `activity`, `actor`, `identities`, `dead_letter`, `token` or `customer`.
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
    /// What happened; read from the log, it is one line.
    pub payload: Json,
    /// Who did it, and with which request; one line too.
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

    /// What it takes, about: its payload and metadata, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.payload.as_str().len() + self.metadata.as_str().len()
    }
}

/// What a fold needs of an event in the log, wherever that lies in memory.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    /// As in [`RecordedEvent`].
    pub partition: Partition,
    /// As in [`RecordedEvent`].
    pub position: i64,
    /// As in [`RecordedEvent`].
    pub recorded_at: DateTime<Utc>,
    /// As in [`RecordedEvent`].
    pub event_id: Uuid,
    /// As in [`RecordedEvent`].
    pub customer_id: CustomerId,
    /// As in [`RecordedEvent`].
    pub aggregate_type: &'a str,
    /// As in [`RecordedEvent`].
    pub aggregate_id: &'a str,
    /// As in [`RecordedEvent`].
    pub event_type: &'a str,
    /// As in [`RecordedEvent`].
    pub event_version: &'a str,
    /// As in [`RecordedEvent`].
    pub payload: &'a str,
}

impl EventRef<'_> {
    /// As [`RecordedEvent::decode`].
    ///
    /// # Errors
    /// As there.
    pub fn decode<E: EventPayload>(&self) -> Result<E, DecodeError> {
        E::decode_text(self.event_type, self.event_version, self.payload)
    }
}

impl<'a> From<&'a RecordedEvent> for EventRef<'a> {
    fn from(event: &'a RecordedEvent) -> Self {
        Self {
            partition: event.partition,
            position: event.position,
            recorded_at: event.recorded_at,
            event_id: event.event_id,
            customer_id: event.customer_id,
            aggregate_type: &event.aggregate_type,
            aggregate_id: &event.aggregate_id,
            event_type: &event.event_type,
            event_version: &event.event_version,
            payload: event.payload.as_str(),
        }
    }
}

/// An event that is to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its own id. By it an appender that lost the result of its commit recognises what it stored.
    pub event_id: Uuid,
    /// As `ActivityRecorded`.
    pub event_type: String,
    /// The version of the payload.
    pub event_version: String,
    /// What happened: the fields of the event, as a JSON object.
    pub payload: String,
    /// Who caused it, and with which request, as a JSON object.
    pub metadata: String,
}

impl NewEvent {
    /// An event of the domain, with an id of its own.
    ///
    /// # Errors
    /// As [`EventPayload::encode`].
    pub fn of<E: EventPayload + DomainEvent>(event: &E, metadata: String) -> Result<Self, serde_json::Error> {
        Ok(Self {
            event_id: Uuid::now_v7(),
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: event.encode()?,
            metadata,
        })
    }
}

/// Events of one stream that are stored whole or not at all.
#[derive(Clone, Debug)]
pub struct Append {
    /// The customer's partition.
    pub partition: Partition,
    /// Whose events they are.
    pub customer_id: CustomerId,
    /// `activity`, `actor`, `identities`, `dead_letter`, `token` or `customer`.
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
        /// Position of its first event; the others follow without a gap.
        position: i64,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// The stream has one of the sequences already; nothing was stored.
    Conflict,
}
