use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Connection, PgConnection};

use super::dead_letters::{self, Letter};
use super::{Content, Decoded, PageError, Target, Told, discards};
use crate::error::FlushError;
use crate::projections::{Batch, Place};

/// Events that are folded as one batch, in position order.
pub(super) struct Run<'p, 'a>(pub(super) &'p [Decoded<'a>]);

/// What is known of the events of a run before they are looked at.
#[derive(Default)]
pub(super) struct Known {
    /// Streams that wait, each with the position that it waits behind.
    pub(super) waiting: HashMap<String, i64>,
    /// Positions that were discarded before they were met.
    pub(super) discarded: HashSet<i64>,
}

impl<'p> Run<'p, '_> {
    /// Folds the events that follow the checkpoint, and moves it behind them.
    pub(super) async fn fold(
        &self,
        connection: &mut PgConnection,
        target: &mut Target,
    ) -> Result<Told, PageError> {
        let Some(last) = self.0.last() else { return Ok(Told::default()) };
        let streams: Vec<&str> =
            self.0.iter().map(|decoded| decoded.recorded.aggregate_id.as_str()).collect();
        let known = Known {
            waiting: dead_letters::waiting(connection, target, &streams).await?,
            discarded: discards::ahead(connection, target, last.recorded.position).await?,
        };
        let sorted = self.flush(connection, target, &known).await?;
        dead_letters::insert(connection, target, &sorted.dead).await?;
        let (folded, dead) = (sorted.folded as i64, sorted.dead.len() as i64);
        target.advance(connection, last.recorded, folded, dead, sorted.discarded).await?;
        Ok(Told { folded: sorted.folded as u64, dead: sorted.dead.len() as u64 })
    }

    /// Writes the whole page but for what is set aside.
    pub(super) async fn flush(
        &self,
        connection: &mut PgConnection,
        target: &Target,
        known: &Known,
    ) -> Result<Sorted<'p>, PageError> {
        let mut guilty = BTreeMap::new();
        let mut blameless = 0;
        loop {
            let mut sorted = self.sort(target, known, &guilty, self.0.len());
            let Some(error) = attempt(connection, &mut sorted, target.place(), true).await? else {
                return Ok(sorted);
            };
            let (index, error) =
                self.find_guilty(connection, target, known, &guilty, blameless, error).await?;
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
        known: &Known,
        guilty: &BTreeMap<usize, String>,
        blameless: usize,
        error: String,
    ) -> Result<(usize, String), PageError> {
        let (mut good, mut bad, mut error) = (blameless, self.0.len(), error);
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            let mut sorted = self.sort(target, known, guilty, middle);
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
        known: &Known,
        guilty: &BTreeMap<usize, String>,
        length: usize,
    ) -> Sorted<'p> {
        let batch = (target.definition.batch)();
        let mut sorted = Sorted { batch, folded: 0, discarded: 0, dead: Vec::new() };
        let mut stopped: HashMap<&str, i64> =
            known.waiting.iter().map(|(stream, position)| (stream.as_str(), *position)).collect();
        for (index, Decoded { recorded, content }) in self.0[..length].iter().enumerate() {
            if known.discarded.contains(&recorded.position) {
                sorted.discarded += 1;
                continue;
            }
            let stream = recorded.aggregate_id.as_str();
            if let Some(position) = stopped.get(stream) {
                sorted.dead.push(Letter::waiting(recorded, *position));
                continue;
            }
            let failure = match (guilty.get(&index), content) {
                (Some(reason), _) | (None, Err(reason)) => Some(reason.clone()),
                (None, Ok(Content::Activity(event))) => {
                    sorted.batch.fold(event).err().map(|error| error.to_string())
                }
                // A program that could not read it has set it aside, and what it discards with it.
                (None, Ok(Content::Discard(_))) => Some(OUT_OF_PLACE.to_owned()),
            };
            match failure {
                None => sorted.folded += 1,
                Some(reason) => {
                    stopped.insert(stream, recorded.position);
                    sorted.dead.push(Letter::failed(recorded, &reason));
                }
            }
        }
        sorted
    }
}

const OUT_OF_PLACE: &str = "what was discarded counts in its place in the log: rebuild the projection";

/// What becomes of the events of a run.
pub(super) struct Sorted<'a> {
    batch: Box<dyn Batch>,
    pub(super) folded: usize,
    pub(super) discarded: i64,
    /// In order.
    pub(super) dead: Vec<Letter<'a>>,
}

/// Writes a batch, and takes it back unless it is to be kept. Answers why an event of it is to blame, if one is.
async fn attempt(
    connection: &mut PgConnection,
    sorted: &mut Sorted<'_>,
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
