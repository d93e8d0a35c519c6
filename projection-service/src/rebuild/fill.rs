use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use domain::Partition;
use event_store::{BulkPage, Stamp};
use futures::{StreamExt, TryStreamExt};
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::RebuildError;
use super::load::LoadLimit;
use super::progress::Meter;
use super::turns::Turns;
use crate::columns::off_async;
use crate::error::FlushError;
use crate::fold::{Folder, Page, PageError, lock_generation, prepare, settle, stamp};
use crate::store::NAME;
use crate::transaction::begin;

/// A position for each partition.
pub(super) type Positions = HashMap<Partition, i64>;

/// The limits within which a rebuild shares the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Others come first: it waits for them.
    Considerate,
    /// The live fold is held meanwhile, so nothing is waited for.
    Full,
}

/// Pages that are read before they are folded: one is read while another one is folded.
const PAGES_AHEAD: usize = 1;

/// Fills a generation from the log, several partitions at the same time.
#[derive(Clone)]
pub(super) struct Filler(Arc<Inner>);

struct Inner {
    pool: PgPool,
    folder: Folder,
    generation: i32,
    parallel: usize,
    limit: LoadLimit,
    turns: Turns,
}

impl Filler {
    pub(super) fn new(
        pool: &PgPool,
        folder: Folder,
        generation: i32,
        parallel: usize,
        limit: LoadLimit,
    ) -> Self {
        let pool = pool.clone();
        Self(Arc::new(Inner {
            pool,
            folder,
            generation,
            parallel: parallel.max(1),
            limit,
            turns: Turns::default(),
        }))
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    pub(super) fn generation(&self) -> i32 {
        self.0.generation
    }

    /// The heads of the log.
    pub(super) async fn heads(&self) -> Result<Positions, RebuildError> {
        let heads = self.0.folder.log.heads().await?;
        Ok(heads.into_iter().map(|head| (head.partition, head.position)).collect())
    }

    /// The live checkpoint of each partition, at most the head of the log, which may have been restored from a backup.
    pub(super) async fn live(&self) -> Result<Positions, RebuildError> {
        let heads = self.heads().await?;
        let rows = sqlx::query!(
            "SELECT c.partition, c.position FROM projections p
               JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
              WHERE p.name = $1",
            NAME,
        )
        .fetch_all(&self.0.pool)
        .await?;
        let bounded = rows.into_iter().map(|row| {
            let partition = Partition(row.partition as u16);
            (partition, row.position.min(heads.get(&partition).copied().unwrap_or(0)))
        });
        Ok(bounded.collect())
    }

    /// The checkpoint of each partition in this generation.
    async fn here(&self) -> Result<Positions, RebuildError> {
        let rows = sqlx::query!(
            "SELECT partition, position FROM checkpoints WHERE projection = $1 AND generation = $2",
            NAME,
            self.0.generation,
        )
        .fetch_all(&self.0.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (Partition(row.partition as u16), row.position)).collect())
    }

    /// The number of events that this generation has folded.
    pub(super) async fn folded(&self) -> Result<u64, RebuildError> {
        Ok(self.here().await?.values().map(|&position| position as u64).sum())
    }

    /// The number of events up to the goals that are not folded yet.
    pub(super) async fn missing(&self, goals: &Positions) -> Result<i64, RebuildError> {
        let here = self.here().await?;
        let missing =
            |(partition, goal): (&Partition, &i64)| (goal - here.get(partition).copied().unwrap_or(0)).max(0);
        Ok(goals.iter().map(missing).sum())
    }

    /// Folds every partition up to its goal. Those with the most events come first, so that none runs alone at the end.
    pub(super) async fn fill(
        &self,
        goals: &Positions,
        meter: &Arc<Meter>,
        pace: Pace,
    ) -> Result<(), RebuildError> {
        let here = self.here().await?;
        let mut behind: Vec<(Partition, i64, i64)> = goals
            .iter()
            .filter_map(|(partition, goal)| {
                let after = here.get(partition).copied()?;
                (after < *goal).then_some((*partition, after, *goal))
            })
            .collect();
        behind.sort_by_key(|(partition, after, goal)| (after - goal, partition.0));
        let filling = futures::stream::iter(behind).map(|(partition, after, goal)| {
            let (this, meter) = (self.clone(), Arc::clone(meter));
            // A task of its own, so that several cores decode.
            Task(tokio::spawn(
                async move { this.fill_partition(partition, (after, goal), &meter, pace).await },
            ))
            .outcome()
        });
        filling.buffer_unordered(self.0.parallel).try_collect::<()>().await
    }

    /// Discards the dead letters that were discarded in the live generation while this one was filled.
    pub(super) async fn settle(&self) -> Result<(), RebuildError> {
        settle(&self.0.pool, &self.0.folder, self.0.generation).await.map_err(|error| match error {
            PageError::Flush(FlushError::Database(error)) => RebuildError::Database(error),
            error => RebuildError::Discard { reason: error.to_string() },
        })
    }

    async fn fill_partition(
        &self,
        partition: Partition,
        (after, goal): (i64, i64),
        meter: &Arc<Meter>,
        pace: Pace,
    ) -> Result<(), RebuildError> {
        let (sender, mut pages) = mpsc::channel(PAGES_AHEAD);
        let this = self.clone();
        let reading = Task(tokio::spawn(async move { this.read(partition, after, goal, &sender).await }));
        while let Some(page) = pages.recv().await {
            if pace == Pace::Considerate {
                self.0.limit.wait(&self.0.pool, &self.0.folder.log, meter).await;
            }
            let began = Instant::now();
            self.fold(partition, &page).await?;
            meter.folded(page.len() as u64);
            if pace == Pace::Considerate {
                self.0.turns.take(&self.0.folder.log, began.elapsed()).await;
            }
        }
        reading.outcome().await
    }

    /// Reads pages until the receiver is dropped.
    async fn read(
        &self,
        partition: Partition,
        after: i64,
        goal: i64,
        pages: &mpsc::Sender<BulkPage>,
    ) -> Result<(), RebuildError> {
        let mut reader = self.0.folder.log.read_bulk(partition, after, goal).await?;
        while let Some(page) = reader.next().await? {
            if pages.send(page).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Folds a page in one transaction with the checkpoint.
    async fn fold(&self, partition: Partition, page: &BulkPage) -> Result<(), RebuildError> {
        let mut transaction = begin(&self.0.pool).await?;
        prepare(&mut transaction).await?;
        let target = lock_generation(&mut transaction, partition, self.0.generation).await?;
        let Some(mut target) = target else { return Err(RebuildError::Lost) };
        let events = page.events()?;
        let decoded = off_async(|| Page::of(events.into_iter()));
        let failed = |error: PageError| RebuildError::Fold { partition, error: Box::new(error) };
        decoded.fold(&mut transaction, &self.0.folder, &mut target).await.map_err(failed)?;
        transaction.commit().await?;
        self.0.folder.committed(&mut target);
        Ok(())
    }
}

/// The identities of the events at the checkpoints of a generation.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn stamps(pool: &PgPool, generation: i32) -> Result<Vec<Stamp>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT partition, position, log_id, event_id, recorded_at FROM checkpoints
          WHERE projection = $1 AND generation = $2",
        NAME,
        generation,
    )
    .fetch_all(pool)
    .await?;
    let stamps = rows.into_iter().filter_map(|row| {
        stamp(Partition(row.partition as u16), row.position, row.log_id, row.event_id, row.recorded_at)
    });
    Ok(stamps.collect())
}

/// A task that is aborted when this handle is dropped.
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
