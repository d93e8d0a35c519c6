use std::collections::{HashMap, HashSet};

use domain::Partition;
use event_store::LogId;
use sqlx::PgConnection;

use super::dead_letters::{self, NewDeadLetter};
use super::{Content, Decoded, FoldCounts, Folder, PageError, Target, discards};
use crate::columns::off_async;
use crate::error::FlushError;
use crate::store::{Batch, Prior};

/// Events that are folded as one batch, in the order of positions.
pub(super) struct Run<'p, 'a>(pub(super) &'p [Decoded<'a>]);

/// Facts about the events of a run that are read before it is folded.
#[derive(Default)]
pub(super) struct Known {
    /// Streams with a dead letter, each with its position.
    pub(super) waiting: HashMap<String, i64>,
    /// Positions that were discarded before they are folded.
    pub(super) discarded: HashSet<i64>,
}

impl<'p> Run<'p, '_> {
    /// Folds the events that follow the checkpoint, and moves it to the last of them.
    pub(super) async fn fold(
        &self,
        connection: &mut PgConnection,
        folder: &Folder,
        target: &mut Target,
        log_id: LogId,
    ) -> Result<FoldCounts, PageError> {
        let Some(last) = self.0.last() else { return Ok(FoldCounts::default()) };
        let streams: Vec<&str> = self.0.iter().map(|decoded| decoded.recorded.aggregate_id).collect();
        let known = Known {
            waiting: dead_letters::waiting(connection, target, &streams).await?,
            discarded: discards::ahead(connection, target, last.recorded.position).await?,
        };
        let sorted = self.flush(connection, folder, target, &known).await?;
        dead_letters::insert(connection, &folder.log, target, &sorted.dead).await?;
        let (taken, dead) = (sorted.folded as i64, sorted.dead.len() as i64);
        target.advance(connection, &last.recorded, log_id, taken, dead, sorted.discarded).await?;
        Ok(FoldCounts { folded: sorted.folded as u64, dead: sorted.dead.len() as u64 })
    }

    /// Folds the run into the read model; events that cannot be folded are only returned.
    pub(super) async fn flush(
        &self,
        connection: &mut PgConnection,
        folder: &Folder,
        target: &mut Target,
        known: &Known,
    ) -> Result<Sorted<'p>, PageError> {
        let changed = self.changed(known);
        let prior = self.prior(connection, folder, target, &changed).await?;
        let mut batch = Batch::new(changed.keys().copied().collect(), prior);
        let sorted = off_async(|| self.sort(&mut batch, known));
        let given = batch.flush(connection, target.place(), &folder.ordinals, folder.sizes).await?;
        target.given.extend(given);
        Ok(sorted)
    }

    /// The streams whose activities the run changes, each with the position of its first event in the run.
    fn changed(&self, known: &Known) -> HashMap<&'p str, i64> {
        let mut changed = HashMap::new();
        for Decoded { recorded, content } in self.0 {
            let is_change = matches!(content, Ok(Content::Activity(event)) if event.changes_a_row());
            if is_change && !known.waiting.contains_key(recorded.aggregate_id) {
                changed.insert(recorded.aggregate_id, 0);
            }
        }
        if !changed.is_empty() {
            for Decoded { recorded, .. } in self.0.iter().rev() {
                if let Some(first) = changed.get_mut(recorded.aggregate_id) {
                    *first = recorded.position;
                }
            }
        }
        changed
    }

    /// The current rows of these activities. Each was made by the last event of its stream before the run that was not
    /// discarded. That event is no dead letter, since all later events of its stream would wait behind it.
    async fn prior(
        &self,
        connection: &mut PgConnection,
        folder: &Folder,
        target: &Target,
        changed: &HashMap<&'p str, i64>,
    ) -> Result<HashMap<&'p str, Prior>, PageError> {
        let (Some(to), false) = (changed.values().max(), changed.is_empty()) else {
            return Ok(HashMap::new());
        };
        let partition = Partition(target.place().partition as u16);
        let streams: Vec<&str> = changed.keys().copied().collect();
        let found = folder
            .log
            .stream_positions(partition, ACTIVITY, &streams, *to)
            .await
            .map_err(FlushError::from)?;
        let positions: Vec<i64> = found.iter().map(|found| found.position).collect();
        let discarded = discards::among(connection, target, &positions).await?;
        let mut prior: HashMap<&str, Prior> = HashMap::new();
        for event in &found {
            let Some((stream, first)) = changed.get_key_value(event.aggregate_id.as_str()) else { continue };
            if event.position < *first && !discarded.contains(&event.position) {
                let first_position = match (prior.get(stream), event.sequence) {
                    (Some(known), _) => known.first_position,
                    (None, 1) => event.position,
                    // The event that recorded the activity was discarded.
                    (None, _) => continue,
                };
                prior.insert(stream, Prior { position: event.position, first_position });
            }
        }
        Ok(prior)
    }

    /// Folds the events in memory, and separates those that become dead letters.
    fn sort<'b>(&'b self, batch: &mut Batch<'b>, known: &Known) -> Sorted<'p>
    where
        'p: 'b,
    {
        let mut sorted = Sorted { folded: 0, discarded: 0, dead: Vec::new() };
        let mut stopped: HashMap<&str, i64> =
            known.waiting.iter().map(|(stream, position)| (stream.as_str(), *position)).collect();
        for Decoded { recorded, content } in self.0 {
            if known.discarded.contains(&recorded.position) {
                sorted.discarded += 1;
                continue;
            }
            let stream = recorded.aggregate_id;
            if !stopped.is_empty()
                && let Some(position) = stopped.get(stream)
            {
                sorted.dead.push(NewDeadLetter::waiting(*recorded, *position));
                continue;
            }
            let failure = match content {
                Err(reason) => Some(reason.clone()),
                Ok(Content::Activity(event)) => batch.fold(event).err().map(|error| error.to_string()),
                Ok(Content::Actors(change)) => batch.fold_change(change).err().map(|error| error.to_string()),
                // An older program could not read it, so it became a dead letter, and so did what it discards.
                Ok(Content::Discard(_)) => Some(OUT_OF_PLACE.to_owned()),
            };
            match failure {
                None => sorted.folded += 1,
                Some(reason) => {
                    stopped.insert(stream, recorded.position);
                    sorted.dead.push(NewDeadLetter::failed(*recorded, &reason));
                }
            }
        }
        sorted
    }
}

const ACTIVITY: &str = <domain::activity::Activity as cqrs_es::Aggregate>::TYPE;
const OUT_OF_PLACE: &str = "what was discarded counts in its place in the log: rebuild the projection";

/// The events of a run by what becomes of them.
pub(super) struct Sorted<'a> {
    pub(super) folded: usize,
    pub(super) discarded: i64,
    /// In order.
    pub(super) dead: Vec<NewDeadLetter<'a>>,
}
