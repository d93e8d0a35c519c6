//! The fold: applies a page of events of a partition to one generation of the read model, and later folds dead letters.

mod advisory_lock;
mod checkpoint;
mod dead_letters;
mod discards;
mod release;
mod run;

use domain::dead_letter::{DeadLetter, DeadLetterDiscarded, DeadLetterEvent};
use event_store::{EventLog, EventRef, LogError};
use sqlx::{Connection, PgConnection};

use crate::error::FlushError;
use crate::store::{self, ActorChange, ActorOrdinals, Event, NAME, Sizes};

pub(crate) use advisory_lock::lock_fold_shared;
pub(crate) use checkpoint::{Target, lock_generation, lock_live, prepare, stamp};
pub(crate) use discards::{note_of_log, settle};
pub(crate) use release::{Released, discard, release};
use run::Run;

/// What every fold needs.
pub(crate) struct Folder {
    pub(crate) log: EventLog,
    pub(crate) sizes: Sizes,
    ordinals: ActorOrdinals,
}

impl Folder {
    pub(crate) fn new(log: EventLog, sizes: Sizes) -> Self {
        Self { log, sizes, ordinals: ActorOrdinals::default() }
    }

    /// Remembers the ordinals of actors that a committed transaction gave.
    pub(crate) fn committed(&self, target: &mut Target) {
        self.ordinals.learn(target.generation, target.given.drain(..));
    }
}

/// Consecutive events of a partition, decoded.
pub(crate) struct Page<'a>(Vec<Decoded<'a>>);

struct Decoded<'a> {
    recorded: EventRef<'a>,
    content: Result<Content<'a>, String>,
}

/// The decoded payload of an event.
enum Content<'a> {
    /// An event of an activity, which changes the read model.
    Activity(Event<'a>),
    /// An event about actors, which changes the read model too.
    Actors(ActorChange),
    /// The decision to discard a dead letter.
    Discard(DeadLetterDiscarded),
}

/// Why a page is not folded; the checkpoint then stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// The page does not begin right after the checkpoint, or lacks a position.
    #[error("position {expected} is missing: {found} follows {}", .expected - 1)]
    Hole {
        /// The position that should come next.
        expected: i64,
        /// The position that comes.
        found: i64,
    },
    /// The log is not the one that was folded, or cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read model cannot be written.
    #[error(transparent)]
    Flush(#[from] FlushError),
}

impl From<sqlx::Error> for PageError {
    fn from(error: sqlx::Error) -> Self {
        Self::Flush(error.into())
    }
}

impl<'a> Decoded<'a> {
    fn of(recorded: EventRef<'a>) -> Self {
        let content = if recorded.aggregate_type == <DeadLetter as cqrs_es::Aggregate>::TYPE {
            let event = recorded.decode().map_err(|error| error.to_string());
            event.map(|DeadLetterEvent::DeadLetterDiscarded(discarded)| Content::Discard(discarded))
        } else {
            let content = ActorChange::decode(&recorded).and_then(|change| match change {
                Some(change) => Ok(Content::Actors(change)),
                None => Event::decode(&recorded).map(Content::Activity),
            });
            content.map_err(|error| error.to_string())
        };
        Self { recorded, content }
    }

    fn discards(&self) -> Option<&DeadLetterDiscarded> {
        match &self.content {
            Ok(Content::Discard(discarded)) => Some(discarded),
            _ => None,
        }
    }
}

impl<'a> Page<'a> {
    #[cfg(test)]
    pub(crate) fn decode(events: &'a [event_store::RecordedEvent]) -> Self {
        Self::of(events.iter().map(EventRef::from))
    }

    pub(crate) fn of(events: impl Iterator<Item = EventRef<'a>>) -> Self {
        Self(events.map(Decoded::of).collect())
    }

    /// Folds the page into a generation and moves its checkpoint, within the caller's transaction; the checkpoint must be
    /// locked. An event that cannot be folded is set aside, and so are the later ones of its stream.
    ///
    /// # Errors
    /// [`PageError`]; the transaction can go on without this projection unless the database is away.
    pub(crate) async fn fold(
        &self,
        connection: &mut PgConnection,
        folder: &Folder,
        target: &mut Target,
    ) -> Result<(), PageError> {
        self.check_positions(target.position)?;
        if self.0.is_empty() {
            return Ok(());
        }
        let log_id = target.check(&folder.log).await?;
        let mut transaction = connection.begin().await?;
        let mut counts = FoldCounts::default();
        // A discard releases the events that wait behind a dead letter, so it divides the page.
        for part in self.0.chunk_by(|before, after| before.discards().is_none() && after.discards().is_none())
        {
            if let [one] = part
                && let Some(discarded) = one.discards()
            {
                if store::is_named(&discarded.projection) {
                    release::discard(&mut transaction, folder, target, discarded.position).await?;
                }
                target.advance(&mut transaction, &one.recorded, log_id, 1, 0, 0).await?;
                counts.folded += 1;
            } else {
                counts.add(&Run(part).fold(&mut transaction, folder, target, log_id).await?);
            }
        }
        transaction.commit().await?;
        counts.record();
        Ok(())
    }

    fn check_positions(&self, after: i64) -> Result<(), PageError> {
        for (decoded, expected) in self.0.iter().zip(after + 1..) {
            let found = decoded.recorded.position;
            if found != expected {
                return Err(PageError::Hole { expected, found });
            }
        }
        Ok(())
    }
}

/// Counts of a fold, for the metrics.
#[derive(Default)]
struct FoldCounts {
    folded: u64,
    dead: u64,
}

impl FoldCounts {
    fn add(&mut self, other: &Self) {
        self.folded += other.folded;
        self.dead += other.dead;
    }

    fn record(&self) {
        let Self { folded, dead } = *self;
        metrics::counter!("daybook_projection_folded_total", "projection" => NAME).increment(folded);
        if dead > 0 {
            metrics::counter!("daybook_projection_dead_lettered_total", "projection" => NAME).increment(dead);
        }
    }
}
