//! Describes actors, and merges their names. Whoever records under another protocol does it by the same three functions.

mod merges;

use std::sync::Arc;
use std::time::Duration;

use cqrs_es::{Aggregate, DomainEvent};
use domain::actor::{Actor, ActorCommand, ActorError};
use domain::identity::{Identities as Merges, IdentityCommand, IdentityError, Merge};
use domain::{CustomerId, EventPayload, Json};
use event_store::{Append, AppendError, Appended, Appender, EventLog, LogError, NewEvent};
use tokio::sync::Mutex;
use uuid::Uuid;

/// How often a command is decided anew after a conflict. With merges only another process can bring one about; while both have
/// many, one of them may lose many times in a row.
const CONFLICT_RETRIES_MAX: usize = 100;
/// After a conflict one waits a random time up to this, in microseconds, so that two processes do not go on in step.
const CONFLICT_WAIT_MAX_US: u64 = 8_000;
/// Merges of as many customers are decided at the same time; those of one customer follow each other.
const TURNS: usize = 64;

/// Carries out commands on actors and their identities.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    log: EventLog,
    appender: Appender,
    turns: Arc<[Mutex<()>]>,
}

/// An actor as it is described now.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) traits: Json,
    /// Of the event that described it last; none if it never was.
    pub(crate) position: Option<i64>,
}

impl Described {
    fn of(actor: Actor, position: Option<i64>) -> Result<Self, serde_json::Error> {
        let traits = actor.traits.map_or_else(|| serde_json::from_str("{}"), Ok)?;
        Ok(Self { traits, position })
    }
}

/// A merge that holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// Of the event that merged them.
    pub(crate) position: i64,
    /// Whether they were merged before.
    pub(crate) is_duplicate: bool,
}

/// Why a command is not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentitiesError {
    #[error(transparent)]
    Actor(#[from] ActorError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The log cannot be written now.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read now.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event cannot be written as JSON; the checks exclude it.
    #[error("an event cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    /// A conflict with other commands, at every attempt.
    #[error("too many commands on the same stream at once")]
    Conflict,
}

impl From<sqlx::Error> for IdentitiesError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

impl Identities {
    pub(crate) fn new(log: EventLog, appender: Appender) -> Self {
        let turns = std::iter::repeat_with(Mutex::default).take(TURNS).collect();
        Self { log, appender, turns }
    }

    /// Sets traits of an actor, and unsets those that are null.
    ///
    /// # Errors
    /// [`IdentitiesError`]; the same call again is safe.
    pub(crate) async fn describe(
        &self,
        customer: CustomerId,
        actor: &str,
        traits: Json,
        metadata: &str,
    ) -> Result<Described, IdentitiesError> {
        let (partition, stream) = (self.log.partitions().of(customer), Actor::stream(customer, actor));
        let command = ActorCommand::DescribeActor { actor: actor.to_owned(), traits };
        for _ in 0..CONFLICT_RETRIES_MAX {
            let last = self.log.read_last(partition, Actor::TYPE, &stream, i64::MAX).await?;
            let (sequence, position) =
                last.as_ref().map_or((0, None), |last| (last.sequence, Some(last.position)));
            let known = match last {
                None => Actor::default(),
                Some(last) => Actor::after(last.decode().map_err(LogError::from)?, sequence as u64),
            };
            let Some(event) = known.decide(command.clone())? else {
                return Ok(Described::of(known, position)?);
            };
            let append = self.append::<Actor, _>(customer, stream.clone(), sequence + 1, &event, metadata)?;
            if let Some(position) = self.stored(append).await? {
                return Ok(Described::of(Actor::after(event, 0), Some(position))?);
            }
        }
        Err(IdentitiesError::Conflict)
    }

    /// Lets a name mean an actor.
    ///
    /// # Errors
    /// [`IdentitiesError`]; the same call again is safe.
    pub(crate) async fn merge(
        &self,
        customer: CustomerId,
        merge: Merge,
        metadata: &str,
    ) -> Result<Merged, IdentitiesError> {
        self.execute(customer, IdentityCommand::MergeActors(merge), metadata).await
    }

    /// Lets a name mean an actor of its own again.
    ///
    /// # Errors
    /// [`IdentitiesError`].
    pub(crate) async fn revert(
        &self,
        customer: CustomerId,
        merge: Merge,
        metadata: &str,
    ) -> Result<(), IdentitiesError> {
        self.execute(customer, IdentityCommand::RevertMerge(merge), metadata).await.map(|_| ())
    }

    async fn execute(
        &self,
        customer: CustomerId,
        command: IdentityCommand,
        metadata: &str,
    ) -> Result<Merged, IdentitiesError> {
        let turn = customer.0.as_u128() as usize % TURNS;
        let _turn = self.turns[turn].lock().await;
        for _ in 0..CONFLICT_RETRIES_MAX {
            let known = merges::read(&self.log, customer, command.merge()).await?;
            let Some(event) = known.identities.decide(command.clone())? else {
                return Ok(Merged { position: known.position, is_duplicate: true });
            };
            let stream = Merges::stream(customer);
            let append = self.append::<Merges, _>(customer, stream, known.sequence + 1, &event, metadata)?;
            if let Some(position) = self.stored(append).await? {
                return Ok(Merged { position, is_duplicate: false });
            }
            let random = Uuid::now_v7().as_u64_pair().1 % CONFLICT_WAIT_MAX_US;
            tokio::time::sleep(Duration::from_micros(random)).await;
        }
        Err(IdentitiesError::Conflict)
    }

    fn append<A: Aggregate, E: EventPayload + DomainEvent>(
        &self,
        customer: CustomerId,
        aggregate_id: String,
        sequence: i64,
        event: &E,
        metadata: &str,
    ) -> Result<Append, serde_json::Error> {
        Ok(Append {
            partition: self.log.partitions().of(customer),
            customer_id: customer,
            aggregate_type: A::TYPE,
            aggregate_id,
            sequence,
            events: vec![NewEvent::of(event, metadata.to_owned())?],
        })
    }

    /// The position of what was appended; none after a conflict.
    async fn stored(&self, append: Append) -> Result<Option<i64>, AppendError> {
        match self.appender.append(vec![append]).await?.as_slice() {
            [Appended::Stored { position, .. }] => Ok(Some(*position)),
            _ => Ok(None),
        }
    }
}
