//! Folding a page of a partition into one generation of a projection.

mod checkpoint;
mod dead_letters;

use std::collections::{BTreeMap, HashMap};

use event_store::RecordedEvent;
use sqlx::{Connection, PgConnection};

use crate::error::FlushError;
use crate::projections::{Batch, Event, Place};

pub(crate) use checkpoint::{LOCK_CLASS, Target, lock_fold_shared, lock_live, lock_these, prepare};
use dead_letters::DeadLetter;

/// A page of a partition, decoded once for all projections.
pub(crate) struct Page<'a>(Vec<Decoded<'a>>);

struct Decoded<'a> {
    recorded: &'a RecordedEvent,
    event: Result<Event<'a>, String>,
}

/// Why a page is not folded. Nothing of it is then, and the checkpoint stays where it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// The page does not go on where the checkpoint stands.
    #[error("position {expected} is missing: {found} follows {}", .expected - 1)]
    Hole {
        /// What should come next.
        expected: i64,
        /// What comes.
        found: i64,
    },
    /// The read model cannot be written.
    #[error(transparent)]
    Flush(#[from] FlushError),
}

impl From<sqlx::Error> for PageError {
    fn from(error: sqlx::Error) -> Self {
        Self::Flush(error.into())
    }
}

impl<'a> Page<'a> {
    pub(crate) fn decode(events: &'a [RecordedEvent]) -> Self {
        let decode = |recorded| Decoded {
            recorded,
            event: Event::decode(recorded).map_err(|error| error.to_string()),
        };
        Self(events.iter().map(decode).collect())
    }

    /// Folds the page into a generation and moves its checkpoint, within the caller's transaction; the checkpoint must be
    /// locked. An event that cannot be folded is set aside, and so are the later ones of its stream.
    ///
    /// # Errors
    /// [`PageError`]; the transaction can go on without this projection unless the database is away.
    pub(crate) async fn fold(
        &self,
        connection: &mut PgConnection,
        target: &mut Target,
    ) -> Result<(), PageError> {
        self.check_positions(target.position)?;
        let Some(last) = self.0.last() else { return Ok(()) };
        let mut transaction = connection.begin().await?;
        let streams: Vec<&str> =
            self.0.iter().map(|decoded| decoded.recorded.aggregate_id.as_str()).collect();
        let waiting = dead_letters::waiting(&mut transaction, target, &streams).await?;
        let sorted = self.flush(&mut transaction, target, &waiting).await?;
        dead_letters::insert(&mut transaction, target, &sorted.dead).await?;
        let (folded, dead) = (sorted.folded as i64, sorted.dead.len() as i64);
        target.advance(&mut transaction, last.recorded, folded, dead).await?;
        transaction.commit().await?;
        let name = target.definition.name;
        metrics::counter!("daybook_projection_folded_total", "projection" => name)
            .increment(sorted.folded as u64);
        if dead > 0 {
            metrics::counter!("daybook_projection_dead_lettered_total", "projection" => name)
                .increment(dead as u64);
        }
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

    /// Writes the whole page but for what is set aside.
    async fn flush(
        &self,
        connection: &mut PgConnection,
        target: &Target,
        waiting: &HashMap<String, i64>,
    ) -> Result<Sorted, PageError> {
        let mut guilty = BTreeMap::new();
        let mut blameless = 0;
        loop {
            let mut sorted = self.sort(target, waiting, &guilty, self.0.len());
            let Some(error) = attempt(connection, &mut sorted, target.place(), true).await? else {
                return Ok(sorted);
            };
            let (index, error) =
                self.find_guilty(connection, target, waiting, &guilty, blameless, error).await?;
            let recorded = self.0[index].recorded;
            let (projection, position, partition) =
                (target.definition.name, recorded.position, recorded.partition);
            tracing::error!(projection, %partition, position, %error, "an event does not fit and is set aside");
            guilty.insert(index, error);
            blameless = index;
        }
    }

    /// The first event with which the page cannot be written, found by halving; `blameless` events can. Which one it is
    /// depends on the page only where events contradict each other, and the write side refuses those.
    async fn find_guilty(
        &self,
        connection: &mut PgConnection,
        target: &Target,
        waiting: &HashMap<String, i64>,
        guilty: &BTreeMap<usize, String>,
        blameless: usize,
        error: String,
    ) -> Result<(usize, String), PageError> {
        let (mut good, mut bad, mut error) = (blameless, self.0.len(), error);
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            let mut sorted = self.sort(target, waiting, guilty, middle);
            match attempt(connection, &mut sorted, target.place(), false).await? {
                None => good = middle,
                Some(found) => (bad, error) = (middle, found),
            }
        }
        Ok((bad - 1, error))
    }

    /// Folds the first `length` events in memory, and tells apart those that are set aside.
    fn sort(
        &self,
        target: &Target,
        waiting: &HashMap<String, i64>,
        guilty: &BTreeMap<usize, String>,
        length: usize,
    ) -> Sorted {
        let mut sorted = Sorted { batch: (target.definition.batch)(), folded: 0, dead: Vec::new() };
        let mut stopped: HashMap<&str, i64> =
            waiting.iter().map(|(stream, position)| (stream.as_str(), *position)).collect();
        for (index, Decoded { recorded, event }) in self.0[..length].iter().enumerate() {
            let stream = recorded.aggregate_id.as_str();
            let reason = match (stopped.get(stream), guilty.get(&index), event) {
                (Some(position), _, _) => {
                    Some(format!("waits behind position {position} of the same stream"))
                }
                (None, Some(reason), _) | (None, None, Err(reason)) => Some(reason.clone()),
                (None, None, Ok(event)) => sorted.batch.fold(event).err().map(|error| error.to_string()),
            };
            match reason {
                None => sorted.folded += 1,
                Some(reason) => {
                    stopped.entry(stream).or_insert(recorded.position);
                    sorted.dead.push(DeadLetter::new(recorded, &reason));
                }
            }
        }
        sorted
    }
}

struct Sorted {
    batch: Box<dyn Batch>,
    folded: usize,
    dead: Vec<DeadLetter>,
}

/// Writes a batch, and takes it back unless it is to be kept. Answers why an event of it is to blame, if one is.
async fn attempt(
    connection: &mut PgConnection,
    sorted: &mut Sorted,
    place: Place,
    keep: bool,
) -> Result<Option<String>, FlushError> {
    if sorted.folded == 0 {
        return Ok(None);
    }
    let mut savepoint = connection.begin().await?;
    match sorted.batch.flush(&mut savepoint, place).await {
        Ok(()) if keep => savepoint.commit().await?,
        Ok(()) => savepoint.rollback().await?,
        Err(error) if error.blames_an_event() => {
            savepoint.rollback().await?;
            return Ok(Some(error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}
