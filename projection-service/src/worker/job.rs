use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::Partition;
use event_bus::{BusError, EventSubscription, Published};
use event_store::RecordedEvent;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;

use crate::board::Board;
use crate::fold::{Folder, Page, PageError, Target, lock_fold_shared, lock_live, prepare};
use crate::jobs;

/// Events of one page; fewer where they are large.
const PAGE_EVENTS_MAX: usize = 5_000;
const PAGE_EVENTS_MIN: usize = 100;
const PAGE_EVENTS_FIRST: usize = 1_000;
/// How long a job that another process runs is not looked at again.
const ELSEWHERE_PAUSE: Duration = Duration::from_millis(25);
/// What a page should hold at most, in bytes of payload.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// What jobs work with.
pub(crate) struct JobContext {
    pub(crate) pool: PgPool,
    pub(crate) folder: Arc<Folder>,
    pub(crate) subscription: Arc<dyn EventSubscription>,
    pub(crate) board: Arc<Board>,
    pub(crate) fold_delay: Duration,
    /// Wakes the worker.
    pub(crate) scheduled: Arc<Notify>,
    /// Projections that failed lately. Each rests for a while, so that it does not hold up the others; time ends that.
    pub(crate) resting: Mutex<HashMap<(Partition, &'static str), Rest>>,
}

/// How often a projection has failed in a row, and until when it rests.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    failures: i32,
    until: Instant,
}

/// Why a job is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("the database of reports: {0}")]
    Database(#[from] sqlx::Error),
    #[error("{projection}: {error}")]
    Projection { projection: &'static str, error: PageError },
    #[error("the job broke off: {0}")]
    Panic(String),
}

/// What is left to do after a page of each projection.
enum Left {
    /// No job, or it is somebody else's.
    NotOurs,
    /// More may be published already.
    More,
    /// Everything is folded up to here.
    Nothing(i64),
    /// The same but for projections that rest.
    Resting(i64),
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
                // Its row still says that it is due; looking again at once would be a busy wait for the other process.
                Ok(Left::NotOurs) => return tokio::time::sleep(ELSEWHERE_PAUSE).await,
                Ok(Left::More | Left::Nothing(_)) => "done",
                Ok(Left::Resting(_)) | Err(_) => "failed",
            };
            metrics::counter!("daybook_job_attempts_total", "outcome" => name).increment(1);
            metrics::histogram!("daybook_job_duration_seconds").record(begin.elapsed());
            match outcome {
                Ok(Left::More) => at_once = true,
                Ok(Left::Nothing(folded) | Left::Resting(folded)) => {
                    return self.look_again(partition, folded).await;
                }
                Ok(Left::NotOurs) => return,
                Err(error) => return self.fail(partition, &error).await,
            }
        }
    }

    /// What was published while the job ran found the job still there, and made none.
    async fn look_again(&self, partition: Partition, folded: i64) {
        self.board.forget(partition, folded);
        let position = self.board.published(partition);
        if position <= folded {
            return;
        }
        match jobs::schedule(&self.pool, &[Published { partition, position }], self.fold_delay).await {
            Ok(_) => self.scheduled.notify_one(),
            Err(error) => tracing::warn!(%error, %partition, "a job cannot be made; the next poll makes it"),
        }
    }

    /// Notes down that a job failed, so that it is tried again after a while.
    pub(crate) async fn fail(&self, partition: Partition, error: &JobError) {
        tracing::warn!(%error, %partition, "a job failed and is tried again");
        let noted = async {
            let mut transaction = self.pool.begin().await?;
            if let Some(attempts) = jobs::claim(&mut transaction, partition, true).await? {
                let (published, retry_in) = (self.board.published(partition), jobs::retry_in(attempts + 1));
                jobs::failed(&mut transaction, partition, &error.to_string(), published, retry_in).await?;
            }
            transaction.commit().await
        };
        let noted: Result<(), sqlx::Error> = noted.await;
        if let Err(error) = noted {
            tracing::warn!(%error, %partition, "a failed job cannot be noted down; it stays due");
            tokio::time::sleep(jobs::retry_in(1)).await;
        }
    }

    /// Folds one page into each live generation, in one transaction with the checkpoints and the job.
    async fn step(
        &self,
        partition: Partition,
        at_once: bool,
        page_events: &mut usize,
    ) -> Result<Left, JobError> {
        let mut transaction = self.pool.begin().await?;
        prepare(&mut transaction).await?;
        if jobs::claim(&mut transaction, partition, at_once).await?.is_none() {
            return Ok(Left::NotOurs);
        }
        lock_fold_shared(&mut transaction).await?;
        let targets = lock_live(&mut transaction, partition).await?;
        let (groups, mut rest_until) = self.groups(partition, targets);
        let mut folded = i64::MAX;
        let mut more = false;
        let mut failure = None;
        // Projections that stand at the same position share a page; one that lags behind holds up nobody.
        for (position, group) in groups {
            let events = self.subscription.fetch(partition, position, *page_events).await?;
            more |= events.len() >= *page_events;
            folded = folded.min(events.last().map_or(position, |event| event.position));
            *page_events = next_page(*page_events, &events);
            if let Some((until, error)) = self.fold_group(&mut transaction, partition, group, &events).await {
                rest_until = Some(rest_until.map_or(until, |other| other.min(until)));
                failure = Some(error);
            }
        }
        // Where all projections rest, nothing new was tried.
        let reached = if folded == i64::MAX { self.board.published(partition) } else { folded };
        let retry_in = rest_until.map(|until| until.saturating_duration_since(Instant::now()));
        match (&failure, retry_in) {
            (Some(error), Some(retry_in)) => {
                tracing::warn!(%error, %partition, "a projection failed and is tried again");
                jobs::failed(&mut transaction, partition, &error.to_string(), reached, retry_in).await?;
            }
            (_, Some(retry_in)) => jobs::postponed(&mut transaction, partition, reached, retry_in).await?,
            (_, None) if more => {}
            (_, None) => jobs::done(&mut transaction, partition).await?,
        }
        transaction.commit().await?;
        if failure.is_none() && retry_in.is_none() && folded != i64::MAX {
            self.acknowledge(partition, folded).await;
        }
        Ok(match retry_in {
            _ if more => Left::More,
            Some(_) => Left::Resting(reached),
            None => Left::Nothing(reached),
        })
    }

    /// Housekeeping for the bus; the checkpoints that were just committed are the truth.
    async fn acknowledge(&self, partition: Partition, position: i64) {
        if let Err(error) = self.subscription.acknowledge(partition, position).await {
            tracing::debug!(%error, %partition, "what was folded is not acknowledged; a later position makes up for it");
        }
    }

    /// Folds a page into projections that stand at the same position, each in a savepoint of its own. Answers the last
    /// failure, and the soonest time to try again.
    async fn fold_group(
        &self,
        connection: &mut PgConnection,
        partition: Partition,
        group: Vec<Target>,
        events: &[RecordedEvent],
    ) -> Option<(Instant, JobError)> {
        if events.is_empty() {
            return None;
        }
        let page = Page::decode(events);
        let mut failed: Option<(Instant, JobError)> = None;
        for mut target in group {
            let (begin, projection) = (Instant::now(), target.definition.name);
            match page.fold(connection, &self.folder, &mut target).await {
                Ok(()) => self.recovered(partition, projection),
                Err(error) => {
                    let until = self.let_rest(partition, projection);
                    let until = failed.as_ref().map_or(until, |(other, _)| until.min(*other));
                    failed = Some((until, JobError::Projection { projection, error }));
                }
            }
            metrics::histogram!("daybook_projection_fold_duration_seconds", "projection" => projection)
                .record(begin.elapsed());
        }
        failed
    }

    /// The projections that do not rest, by position, and when the first of the others may be tried again.
    fn groups(
        &self,
        partition: Partition,
        targets: Vec<Target>,
    ) -> (BTreeMap<i64, Vec<Target>>, Option<Instant>) {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (mut groups, mut rest_until) = (BTreeMap::<i64, Vec<Target>>::new(), None::<Instant>);
        for target in targets {
            match resting.get(&(partition, target.definition.name)) {
                Some(rest) if rest.until > now => {
                    rest_until = Some(rest_until.map_or(rest.until, |other| other.min(rest.until)));
                }
                _ => groups.entry(target.position).or_default().push(target),
            }
        }
        (groups, rest_until)
    }

    fn let_rest(&self, partition: Partition, projection: &'static str) -> Instant {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let failures =
            resting.get(&(partition, projection)).map_or(0, |rest| rest.failures).saturating_add(1);
        let until = Instant::now() + jobs::retry_in(failures);
        resting.insert((partition, projection), Rest { failures, until });
        until
    }

    fn recovered(&self, partition: Partition, projection: &'static str) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(&(partition, projection));
    }
}

/// As many events as fit into a page, judged by those of the last one.
fn next_page(now: usize, events: &[RecordedEvent]) -> usize {
    let bytes: usize = events.iter().map(|event| event.payload.as_str().len()).sum();
    let Some(each) = bytes.checked_div(events.len()) else { return now };
    (PAGE_BYTES / each.max(1)).clamp(PAGE_EVENTS_MIN, PAGE_EVENTS_MAX)
}
