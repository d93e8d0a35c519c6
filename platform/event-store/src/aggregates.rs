use std::collections::HashMap;

use cqrs_es::persist::PersistedEventStore;
use cqrs_es::{Aggregate, AggregateContext, AggregateError, CqrsFramework, EventStore};

use crate::{EventLog, Repository};

/// How often a command is tried again after a conflict.
const CONFLICT_RETRIES_MAX: usize = 5;

/// Commands on aggregates of one type, by cqrs-es over the log: load, decide, append, and again on a conflict.
pub struct Aggregates<A: Aggregate<Services = ()>> {
    cqrs: CqrsFramework<A, PersistedEventStore<Repository, A>>,
    store: PersistedEventStore<Repository, A>,
    repository: Repository,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E: std::error::Error> {
    /// The aggregate refuses it.
    #[error(transparent)]
    Refused(E),
    /// A conflict with other commands, at every attempt.
    #[error("too many commands on the same stream at once")]
    Conflict,
    /// The log cannot be read or written now.
    #[error("the log is unavailable: {0}")]
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// Anything else: a stored event that cannot be read.
    #[error("the stream cannot be used: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: std::error::Error> From<AggregateError<E>> for ExecuteError<E> {
    fn from(error: AggregateError<E>) -> Self {
        match error {
            AggregateError::UserError(error) => Self::Refused(error),
            AggregateError::AggregateConflict => Self::Conflict,
            AggregateError::DatabaseConnectionError(error) => Self::Unavailable(error),
            AggregateError::DeserializationError(error) | AggregateError::UnexpectedError(error) => {
                Self::Broken(error)
            }
        }
    }
}

impl<A: Aggregate<Services = ()>> Aggregates<A>
where
    A::Command: Clone,
{
    /// Aggregates over a repository.
    #[must_use]
    pub fn new(repository: Repository) -> Self {
        let store = || PersistedEventStore::new_event_store(repository.clone());
        Self { cqrs: CqrsFramework::new(store(), Vec::new(), ()), store: store(), repository }
    }

    /// The log under them.
    #[must_use]
    pub fn log(&self) -> &EventLog {
        self.repository.log()
    }

    /// Carries out a command; its events are durable when this returns.
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub async fn execute(
        &self,
        aggregate_id: &str,
        command: A::Command,
        metadata: HashMap<String, String>,
    ) -> Result<(), ExecuteError<A::Error>> {
        for _ in 0..CONFLICT_RETRIES_MAX {
            match self.cqrs.execute_with_metadata(aggregate_id, command.clone(), metadata.clone()).await {
                Err(AggregateError::AggregateConflict) => {}
                other => return Ok(other?),
            }
        }
        Err(ExecuteError::Conflict)
    }

    /// An aggregate as it now stands; one without events is the default.
    ///
    /// # Errors
    /// [`ExecuteError`], never `Refused`.
    pub async fn load(&self, aggregate_id: &str) -> Result<A, ExecuteError<A::Error>> {
        let mut context = self.store.load_aggregate(aggregate_id).await?;
        Ok(std::mem::take(context.aggregate()))
    }
}
