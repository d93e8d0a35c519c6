use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Partition;
use event_bus::{BusError, EventPage, EventSubscription, Published};
use event_store::LogError;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::columns::off_async;
use crate::fold::{Folder, Page, PageError, lock_fold_shared, lock_live, prepare};
use crate::jobs;
use crate::lag::Lag;
use crate::store::NAME;
use crate::transaction::begin;

/// Bounds of the number of events in one page; the larger the events, the fewer.
const PAGE_EVENTS_MAX: usize = 5_000;
const PAGE_EVENTS_MIN: usize = 100;
const PAGE_EVENTS_FIRST: usize = 1_000;
/// How long to wait if another process runs the job.
const OTHER_PROCESS_PAUSE: Duration = Duration::from_millis(25);
/// Bytes that a page should have at most.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// What every job needs.
pub(crate) struct JobContext {
    pub(crate) pool: PgPool,
    pub(crate) folder: Arc<Folder>,
    pub(crate) subscription: Arc<dyn EventSubscription>,
    pub(crate) lag: Arc<Lag>,
    pub(crate) fold_delay: Duration,
    /// Wakes the worker.
    pub(crate) scheduled: Arc<Notify>,
}

/// Why a job is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("the database of reports: {0}")]
    Database(#[from] sqlx::Error),
    #[error("{error}; `daybook rebuild` folds everything anew from this log")]
    Diverged { error: LogError },
    #[error("{NAME}: {0}")]
    Page(PageError),
    #[error("the job broke off: {0}")]
    Panic(String),
}

impl From<PageError> for JobError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Log(error @ LogError::Diverged(_)) => Self::Diverged { error },
            other => Self::Page(other),
        }
    }
}

/// What is left to do after a page.
enum Remaining {
    /// Unknown: the job is gone, or another process runs it.
    NotOurs,
    /// There may be more published events.
    More,
    /// None: everything is folded up to this position.
    Nothing(i64),
}

impl JobContext {
    /// Runs the job of a partition until everything that is published is folded.
    pub(crate) async fn run(&self, partition: Partition) {
        let mut page_events = PAGE_EVENTS_FIRST;
        let mut at_once = false;
        loop {
            let begin = Instant::now();
            let outcome = self.step(partition, at_once, &mut page_events).await;
            let name = match &outcome {
                // The row is still due, so without a pause this would be a busy wait for the other process.
                Ok(Remaining::NotOurs) => return tokio::time::sleep(OTHER_PROCESS_PAUSE).await,
                Ok(Remaining::More | Remaining::Nothing(_)) => "done",
                Err(_) => "failed",
            };
            metrics::counter!("daybook_job_attempts_total", "outcome" => name).increment(1);
            metrics::histogram!("daybook_job_duration_seconds").record(begin.elapsed());
            match outcome {
                Ok(Remaining::More) => at_once = true,
                Ok(Remaining::Nothing(folded)) => return self.look_again(partition, folded).await,
                Ok(Remaining::NotOurs) => return,
                Err(error) => return self.fail(partition, &error).await,
            }
        }
    }

    /// Schedules a job for what was published while this one ran: no job was created for that, because this one existed.
    async fn look_again(&self, partition: Partition, folded: i64) {
        self.lag.forget_folded(partition, folded);
        let position = self.lag.published(partition);
        if position <= folded {
            return;
        }
        match jobs::schedule(&self.pool, &[Published { partition, position }], self.fold_delay).await {
            Ok(_) => self.scheduled.notify_one(),
            Err(error) => tracing::warn!(%error, %partition, "a job cannot be made; the next poll makes it"),
        }
    }

    /// Records that a job failed, so that it is tried again later.
    pub(crate) async fn fail(&self, partition: Partition, error: &JobError) {
        tracing::warn!(%error, %partition, "a job failed and is tried again");
        let noted = async {
            let mut transaction = begin(&self.pool).await?;
            if let Some(attempts) = jobs::claim(&mut transaction, partition, true).await? {
                let (published, retry_in) = (self.lag.published(partition), jobs::retry_in(attempts + 1));
                jobs::failed(&mut transaction, partition, &error.to_string(), published, retry_in).await?;
            }
            transaction.commit().await
        };
        let noted: Result<(), sqlx::Error> = noted.await;
        if let Err(error) = noted {
            tracing::warn!(%error, %partition, "the failure of a job cannot be recorded; it stays due");
            tokio::time::sleep(jobs::retry_in(1)).await;
        }
    }

    /// Folds one page into the live generation, in one transaction with the checkpoint and the job.
    async fn step(
        &self,
        partition: Partition,
        at_once: bool,
        page_events: &mut usize,
    ) -> Result<Remaining, JobError> {
        let mut transaction = begin(&self.pool).await?;
        prepare(&mut transaction).await?;
        if jobs::claim(&mut transaction, partition, at_once).await?.is_none() {
            return Ok(Remaining::NotOurs);
        }
        lock_fold_shared(&mut transaction).await?;
        let Some(mut target) = lock_live(&mut transaction, partition).await? else {
            // Another version of the code folds this partition, and creates its own jobs.
            jobs::done(&mut transaction, partition).await?;
            transaction.commit().await?;
            return Ok(Remaining::Nothing(self.lag.published(partition)));
        };
        let fetched = self.subscription.fetch_page(partition, target.position, *page_events).await?;
        // A page that was cut short because its events are large is full too: another page follows.
        let more = fetched.len() >= *page_events;
        *page_events = next_page(*page_events, &fetched);
        let begin = Instant::now();
        let events = fetched.events().map_err(PageError::from)?;
        let page = off_async(|| Page::of(events.into_iter()));
        page.fold(&mut transaction, &self.folder, &mut target).await?;
        metrics::histogram!("daybook_projection_fold_duration_seconds", "projection" => NAME)
            .record(begin.elapsed());
        if !more {
            jobs::done(&mut transaction, partition).await?;
        }
        transaction.commit().await?;
        self.folder.committed(&mut target);
        self.lag.committed(partition, target.position);
        self.acknowledge(partition, target.position).await;
        Ok(if more { Remaining::More } else { Remaining::Nothing(target.position) })
    }

    /// Tells the bus what it need not keep. A failure does no harm: the next fold starts at the checkpoint.
    async fn acknowledge(&self, partition: Partition, position: i64) {
        if let Err(error) = self.subscription.acknowledge(partition, position).await {
            tracing::debug!(%error, %partition, "folded events are not acknowledged; the next acknowledgement covers them");
        }
    }
}

/// The number of events for the next page, from the mean size of those in the last one.
fn next_page(now: usize, page: &EventPage) -> usize {
    let Some(each) = page.bytes().checked_div(page.len()) else { return now };
    (PAGE_BYTES / each.max(1)).clamp(PAGE_EVENTS_MIN, PAGE_EVENTS_MAX)
}
