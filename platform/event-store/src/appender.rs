use std::sync::Arc;
use std::time::Duration;

use metrics::Gauge;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Append, Appended, EventLog};

mod commit;
mod queue;
mod write_probe;
use commit::{Committer, Outcomes};
use queue::Queue;
use write_probe::WriteProbe;

/// What the appenders' connections are called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "daybook-appender";

/// Always the same two statements, whose arrays say nothing to a planner: planned once. Without these ways of joining, heads
/// are locked in the order of their partitions, so that appenders of two processes cannot deadlock.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// How long other partitions wait for a commit of few events before they are committed beside it.
const SMALL_GROUP_PATIENCE: Duration = Duration::from_millis(20);

/// Limits of the appenders.
#[derive(Clone, Copy, Debug)]
pub struct AppenderConfig {
    /// How many appenders, each with a connection of its own: so many commits can run at the same time.
    pub appenders: usize,
    /// The most events of one commit.
    pub batch_events_max: usize,
    /// The most events that wait or are being committed, over all appenders; beyond it an append is refused at once.
    pub queue_events_max: usize,
    /// How long a commit is tried again while the database is away, in milliseconds.
    pub retry_max_ms: u64,
}

impl Default for AppenderConfig {
    fn default() -> Self {
        let appenders = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { appenders, batch_events_max: 1_000, queue_events_max: 50_000, retry_max_ms: 5_000 }
    }
}

/// Why nothing can be said to be stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Too many events wait already. Nothing of this was stored.
    #[error("the log's queue is full")]
    QueueFull,
    /// The log cannot be written now. What this append held may have been stored or not; the same append again finds out.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
    /// The database refuses these events. Nothing of this was stored.
    #[error("the log refuses the events: {0}")]
    Refused(String),
}

/// Appends that one caller sent together: answered together, and within one commit.
#[derive(Debug)]
struct Job {
    appends: Vec<Append>,
    answer: oneshot::Sender<Result<Vec<Appended>, AppendError>>,
    places: OwnedSemaphorePermit,
}

impl Job {
    fn events(&self) -> usize {
        self.appends.iter().map(|append| append.events.len()).sum()
    }

    fn answer(self, outcome: Result<Vec<Appended>, AppendError>) {
        // Given back first, so that a caller that has its outcome finds the places free.
        drop(self.places);
        // A caller that has gone needs no outcome.
        let _ = self.answer.send(outcome);
    }
}

/// Commits what many callers append in groups. No two commits have a partition in common, so none ever waits for another's
/// heads; while one runs, the next group gathers, and an idle log waits for no timer. Few events are committed together,
/// many by all appenders at the same time.
#[derive(Clone, Debug)]
pub struct Appender {
    queue: Arc<Queue>,
    places: Arc<Semaphore>,
    places_max: usize,
    waiting: Gauge,
    commits: watch::Sender<()>,
    write_probe: WriteProbe,
}

impl Appender {
    /// Starts the appenders. They end when `shutdown` is cancelled and what was queued is done.
    pub fn start(
        log: &EventLog,
        config: AppenderConfig,
        tasks: &mut JoinSet<()>,
        shutdown: &CancellationToken,
    ) -> Self {
        let count = config.appenders.clamp(1, usize::from(log.partitions().count()));
        let options = PgConnectOptions::clone(&log.pool().connect_options());
        let options = Arc::new(options.application_name(APPLICATION_NAME).options(SETTINGS));
        let commits = watch::Sender::new(());
        // Bounded by `places`: every job holds as many of them as it has events.
        let queue = Queue::new(count, SMALL_GROUP_PATIENCE);
        let write_probe = WriteProbe::new(log.pool().clone());
        for _ in 0..count {
            let retry_max = Duration::from_millis(config.retry_max_ms);
            let committer = Committer::new(Arc::clone(&options), retry_max, write_probe.clone());
            tasks.spawn(run(Arc::clone(&queue), committer, config.batch_events_max, commits.clone()));
        }
        let (closing, stop) = (Arc::clone(&queue), shutdown.clone());
        tasks.spawn(async move {
            stop.cancelled().await;
            // Refuse what comes now, and finish what was accepted before.
            closing.close();
        });
        Self {
            queue,
            places: Arc::new(Semaphore::new(config.queue_events_max)),
            places_max: config.queue_events_max,
            waiting: metrics::gauge!("daybook_append_queue_events"),
            commits,
            write_probe,
        }
    }

    /// Appends, and returns the outcome of each append, in order, after the commit. All of them must be of one partition.
    /// Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`AppendError`], for all of them alike.
    pub async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        let Some(first) = appends.first() else { return Ok(Vec::new()) };
        let partition = usize::from(first.partition.0);
        let events: usize = appends.iter().map(|append| append.events.len()).sum();
        let permit = Arc::clone(&self.places).try_acquire_many_owned(events as u32);
        let Ok(places) = permit else {
            metrics::counter!("daybook_append_refused_total").increment(events as u64);
            return Err(AppendError::QueueFull);
        };
        self.waiting.set((self.places_max - self.places.available_permits()) as f64);
        let (answer, outcome) = oneshot::channel();
        let stopping = || AppendError::Unavailable("shutting down".to_owned());
        self.queue.push(partition, Job { appends, answer, places }).map_err(|_| stopping())?;
        outcome.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Whether the log can be written, as far as is known: it counts as writable until an append is refused for want of room
    /// or of permission, and again as soon as one, or a trial write of this function's, succeeds.
    ///
    /// # Errors
    /// Why it cannot, in words for everybody.
    pub async fn writable(self) -> Result<(), String> {
        self.write_probe.tried_again().await
    }

    /// Changes after every commit; the outbox relay waits for it.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<()> {
        self.commits.subscribe()
    }
}

async fn run(
    queue: Arc<Queue>,
    mut committer: Committer,
    batch_events_max: usize,
    commits: watch::Sender<()>,
) {
    let mut outcomes = Outcomes::default();
    loop {
        let waiting = queue.try_next(batch_events_max);
        let group = if waiting.is_some() {
            waiting
        } else {
            std::mem::take(&mut outcomes).send();
            queue.next(batch_events_max).await
        };
        let Some(mut group) = group else { return };
        metrics::histogram!("daybook_append_batch_events").record(group.events as f64);
        let committing = committer.commit(std::mem::take(&mut group.jobs));
        // The database is at work on this group already while the callers of the last one get their outcomes.
        let telling = async { std::mem::take(&mut outcomes).send() };
        let (next, ()) = tokio::join!(biased; committing, telling);
        outcomes = next;
        drop(group);
        commits.send_replace(());
    }
}
