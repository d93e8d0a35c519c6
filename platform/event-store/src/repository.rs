use cqrs_es::Aggregate;
use cqrs_es::persist::{
    PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot,
};
use domain::{CustomerId, Partition, upcast};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Append, AppendError, Appended, Appender, EventLog, LogError, NewEvent, RecordedEvent};

/// The log as cqrs-es' repository: loads a stream by its partition, and persists through the [`Appender`], so that many
/// commands share a commit.
///
/// A stream's id begins with its customer's, up to a colon; that gives the partition. The payload lies flat in the log;
/// cqrs-es wants it under the name of its event, so it is upcast flat and wrapped here.
#[derive(Clone, Debug)]
pub struct Repository {
    log: EventLog,
    appender: Appender,
}

impl Repository {
    /// A repository over a log.
    #[must_use]
    pub fn new(log: EventLog, appender: Appender) -> Self {
        Self { log, appender }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &EventLog {
        &self.log
    }

    fn owner(&self, aggregate_id: &str) -> Result<(CustomerId, Partition), PersistenceError> {
        let customer = aggregate_id.split_once(':').map_or(aggregate_id, |(customer, _)| customer);
        let customer: CustomerId =
            customer.parse().map_err(|error| PersistenceError::UnknownError(Box::new(error)))?;
        Ok((customer, self.log.partitions().of(customer)))
    }

    async fn load<A: Aggregate>(
        &self,
        aggregate_id: &str,
        after: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let (_, partition) = self.owner(aggregate_id)?;
        let events = self.log.read_stream(partition, A::TYPE, aggregate_id).await.map_err(unreadable)?;
        let upcasters = upcast::all();
        events
            .into_iter()
            .filter(|event| event.sequence > after as i64)
            .map(|event| Ok(wrap(upcast::apply(&upcasters, serialized(event)?))))
            .collect()
    }
}

fn unreadable(error: LogError) -> PersistenceError {
    if error.is_transient() {
        PersistenceError::ConnectionError(Box::new(error))
    } else {
        PersistenceError::UnknownError(Box::new(error))
    }
}

fn serialized(event: RecordedEvent) -> Result<SerializedEvent, PersistenceError> {
    Ok(SerializedEvent {
        payload: serde_json::from_str(event.payload.as_str())?,
        metadata: serde_json::from_str(event.metadata.as_str())?,
        aggregate_id: event.aggregate_id,
        sequence: event.sequence as usize,
        aggregate_type: event.aggregate_type,
        event_type: event.event_type,
        event_version: event.event_version,
    })
}

fn wrap(mut event: SerializedEvent) -> SerializedEvent {
    event.payload = Value::Object(Map::from_iter([(event.event_type.clone(), event.payload)]));
    event
}

fn unwrap(event: &SerializedEvent) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event.event_type.clone(),
        event_version: event.event_version.clone(),
        payload: event.payload.get(&event.event_type).unwrap_or(&event.payload).to_string(),
        metadata: event.metadata.to_string(),
    }
}

/// Snapshots are not kept: a stream here has few events, and cqrs-es 0.5 applies an event twice when it makes one.
#[derive(Debug, thiserror::Error)]
#[error("this log keeps no snapshots and streams no events for cqrs-es; read it with EventLog")]
struct NotKept;

impl PersistedEventRepository for Repository {
    async fn get_events<A: Aggregate>(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.load::<A>(aggregate_id, 0).await
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        aggregate_id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.load::<A>(aggregate_id, last_sequence).await
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        _: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot_update: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        if snapshot_update.is_some() {
            return Err(PersistenceError::UnknownError(Box::new(NotKept)));
        }
        let Some(first) = events.first() else { return Ok(()) };
        let (customer_id, partition) = self.owner(&first.aggregate_id)?;
        let append = Append {
            partition,
            customer_id,
            aggregate_type: A::TYPE,
            aggregate_id: first.aggregate_id.clone(),
            sequence: first.sequence as i64,
            events: events.iter().map(unwrap).collect(),
        };
        match self.appender.append(vec![append]).await.as_deref() {
            Ok([Appended::Stored { .. }]) => Ok(()),
            Ok(_) => Err(PersistenceError::OptimisticLockError),
            Err(error @ AppendError::Refused(_)) => {
                Err(PersistenceError::UnknownError(Box::new(error.clone())))
            }
            Err(error) => Err(PersistenceError::ConnectionError(Box::new(error.clone()))),
        }
    }

    async fn stream_events<A: Aggregate>(&self, _: &str) -> Result<ReplayStream, PersistenceError> {
        Err(PersistenceError::UnknownError(Box::new(NotKept)))
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        Err(PersistenceError::UnknownError(Box::new(NotKept)))
    }
}
