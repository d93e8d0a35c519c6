use std::collections::HashMap;
use std::sync::Arc;

use domain::Partition;
use event_store::{PAGE_EVENTS_MAX, RecordedEvent};
use futures::{StreamExt, TryStreamExt};
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::RebuildError;
use crate::fold::{Folder, Page, PageError, lock_these, prepare, settle};
use crate::projections::Definition;

/// A position for each partition.
pub(super) type Positions = HashMap<Partition, i64>;

/// Fills generations of several projections at once, so that each event is read and decoded once for all of them.
#[derive(Clone)]
pub(super) struct Filler(Arc<Inner>);

struct Inner {
    pool: PgPool,
    folder: Arc<Folder>,
    generations: Vec<(&'static Definition, i32)>,
    parallel: usize,
}

impl Filler {
    pub(super) fn new(
        pool: &PgPool,
        folder: &Arc<Folder>,
        generations: &[(&'static Definition, i32)],
        parallel: usize,
    ) -> Self {
        let (pool, folder) = (pool.clone(), Arc::clone(folder));
        Self(Arc::new(Inner { pool, folder, generations: generations.to_vec(), parallel: parallel.max(1) }))
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    pub(super) fn generations(&self) -> &[(&'static Definition, i32)] {
        &self.0.generations
    }

    /// How many events the log has.
    pub(super) async fn total(&self) -> Result<u64, RebuildError> {
        Ok(self.0.folder.log.heads().await?.iter().map(|head| head.position as u64).sum())
    }

    /// The heads of the log.
    pub(super) async fn heads(&self) -> Result<Positions, RebuildError> {
        Ok(self.0.folder.log.heads().await?.into_iter().map(|head| (head.partition, head.position)).collect())
    }

    /// How far each partition is folded in the live generations of all these projections.
    pub(super) async fn live(&self) -> Result<Positions, RebuildError> {
        let names: Vec<&str> = self.0.generations.iter().map(|(definition, _)| definition.name).collect();
        let rows = sqlx::query!(
            r#"SELECT c.partition, min(c.position) AS "position!" FROM projections p
                 JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
                WHERE p.name = ANY ($1) GROUP BY c.partition"#,
            &names as &[&str],
        )
        .fetch_all(&self.0.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (Partition(row.partition as u16), row.position)).collect())
    }

    /// How far each partition is folded here; all these generations go together.
    async fn here(&self) -> Result<Positions, RebuildError> {
        let Some((definition, generation)) = self.0.generations.first() else { return Ok(Positions::new()) };
        let rows = sqlx::query!(
            "SELECT partition, position FROM checkpoints WHERE projection = $1 AND generation = $2",
            definition.name,
            generation,
        )
        .fetch_all(&self.0.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (Partition(row.partition as u16), row.position)).collect())
    }

    /// How many events have been folded here.
    pub(super) async fn folded(&self) -> Result<u64, RebuildError> {
        Ok(self.here().await?.values().map(|&position| position as u64).sum())
    }

    /// How many events there are up to the goals that have not been folded.
    pub(super) async fn missing(&self, goals: &Positions) -> Result<i64, RebuildError> {
        let here = self.here().await?;
        let missing =
            |(partition, goal): (&Partition, &i64)| (goal - here.get(partition).copied().unwrap_or(0)).max(0);
        Ok(goals.iter().map(missing).sum())
    }

    /// Folds every partition up to its goal, and tells of each page how many events it had.
    pub(super) async fn fill(
        &self,
        goals: &Positions,
        told: mpsc::UnboundedSender<u64>,
    ) -> Result<(), RebuildError> {
        let here = self.here().await?;
        let behind = goals.iter().filter_map(|(partition, goal)| {
            let after = here.get(partition).copied()?;
            (after < *goal).then_some((*partition, after, *goal))
        });
        let behind: Vec<(Partition, i64, i64)> = behind.collect();
        let filling = futures::stream::iter(behind).map(|(partition, after, goal)| {
            let (this, told) = (self.clone(), told.clone());
            // A task of its own, so that several cores decode.
            Task(tokio::spawn(async move { this.fill_partition(partition, after, goal, &told).await }))
                .outcome()
        });
        filling.buffer_unordered(self.0.parallel).try_collect::<()>().await
    }

    /// [`Self::fill`] without telling.
    pub(super) async fn fill_quietly(&self, goals: &Positions) -> Result<(), RebuildError> {
        let (told, _) = mpsc::unbounded_channel();
        self.fill(goals, told).await
    }

    /// Discards here what was discarded from the live generation while this one was filled.
    pub(super) async fn settle(
        &self,
        definition: &'static Definition,
        generation: i32,
    ) -> Result<(), RebuildError> {
        settle(&self.0.pool, &self.0.folder, definition, generation).await.map_err(|error| match error {
            PageError::Flush(crate::error::FlushError::Database(error)) => RebuildError::Database(error),
            error => RebuildError::Discard { projection: definition.name, reason: error.to_string() },
        })
    }

    async fn fill_partition(
        &self,
        partition: Partition,
        after: i64,
        goal: i64,
        told: &mpsc::UnboundedSender<u64>,
    ) -> Result<(), RebuildError> {
        let mut events = self.read(partition, after, goal).await?;
        while let Some(last) = events.last().map(|event| event.position) {
            // The next page is read while this one is folded.
            let (next, folded) =
                tokio::join!(self.read(partition, last, goal), self.fold(partition, &events));
            folded?;
            // Nobody listens to the last few.
            let _ = told.send(events.len() as u64);
            events = next?;
        }
        Ok(())
    }

    async fn read(
        &self,
        partition: Partition,
        after: i64,
        goal: i64,
    ) -> Result<Vec<RecordedEvent>, RebuildError> {
        if after >= goal {
            return Ok(Vec::new());
        }
        Ok(self.0.folder.log.read(partition, after, PAGE_EVENTS_MAX.min(goal - after)).await?)
    }

    /// Folds a page in one transaction with the checkpoints.
    async fn fold(&self, partition: Partition, events: &[RecordedEvent]) -> Result<(), RebuildError> {
        let mut transaction = self.0.pool.begin().await?;
        prepare(&mut transaction).await?;
        let targets = lock_these(&mut transaction, partition, &self.0.generations).await?;
        if targets.len() != self.0.generations.len() {
            return Err(RebuildError::Lost);
        }
        let page = Page::decode(events);
        for mut target in targets {
            let projection = target.definition.name;
            let failed =
                |error: PageError| RebuildError::Fold { projection, partition, reason: error.to_string() };
            page.fold(&mut transaction, &self.0.folder, &mut target).await.map_err(failed)?;
        }
        Ok(transaction.commit().await?)
    }
}

/// A task that ends when nobody waits for it any more.
struct Task(tokio::task::JoinHandle<Result<(), RebuildError>>);

impl Task {
    async fn outcome(mut self) -> Result<(), RebuildError> {
        (&mut self.0).await.unwrap_or(Err(RebuildError::Lost))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
