use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Append, Appended, EventLog};

mod commit;
use commit::Committer;

/// What the appenders' connections are called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "daybook-appender";

/// Always the same two statements, whose arrays tell a planner nothing: planned once. Without these ways of joining, heads
/// are locked in the order of their partitions, so that appenders of two processes cannot deadlock.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// Limits of the appenders.
#[derive(Clone, Copy, Debug)]
pub struct AppenderConfig {
    /// How many appenders, each with a connection of its own; partitions are dealt out among them.
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
    /// The log cannot be written now. What this append held may have been stored or not; the same append again tells.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
    /// The database refuses these events. Nothing of this was stored.
    #[error("the log refuses the events: {0}")]
    Refused(String),
}

/// Appends that one caller sent together: answered together, and within one commit.
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
        // Given back first, so that a caller who has its answer finds the places free.
        drop(self.places);
        // A caller that has gone needs no answer.
        let _ = self.answer.send(outcome);
    }
}

/// Commits what many callers append in groups. An appender owns some of the partitions, so no two of them ever wait for
/// each other's heads; while one commit runs, the next group gathers, and an idle log waits for no timer.
#[derive(Clone, Debug)]
pub struct Appender {
    queues: Arc<[mpsc::UnboundedSender<Job>]>,
    places: Arc<Semaphore>,
    places_max: usize,
    commits: watch::Sender<()>,
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
        let queues = (0..count).map(|_| {
            // Bounded by `places`: every job holds as many of them as it has events.
            let (sender, queue) = mpsc::unbounded_channel();
            let committer = Committer::new(Arc::clone(&options), Duration::from_millis(config.retry_max_ms));
            tasks.spawn(run(queue, committer, config.batch_events_max, commits.clone(), shutdown.clone()));
            sender
        });
        Self {
            queues: queues.collect(),
            places: Arc::new(Semaphore::new(config.queue_events_max)),
            places_max: config.queue_events_max,
            commits,
        }
    }

    /// Appends; answers, for each append in order, only after the commit. All of them must be of one partition.
    /// Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`AppendError`], for all of them alike.
    pub async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        let Some(first) = appends.first() else { return Ok(Vec::new()) };
        let queue = &self.queues[usize::from(first.partition.0) % self.queues.len()];
        let events: usize = appends.iter().map(|append| append.events.len()).sum();
        let permit = Arc::clone(&self.places).try_acquire_many_owned(events as u32);
        let Ok(places) = permit else {
            metrics::counter!("daybook_append_refused_total").increment(events as u64);
            return Err(AppendError::QueueFull);
        };
        metrics::gauge!("daybook_append_queue_events")
            .set((self.places_max - self.places.available_permits()) as f64);
        let (answer, outcome) = oneshot::channel();
        let stopping = || AppendError::Unavailable("shutting down".to_owned());
        queue.send(Job { appends, answer, places }).map_err(|_| stopping())?;
        outcome.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Changes after every commit; the outbox relay waits for it.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<()> {
        self.commits.subscribe()
    }
}

async fn run(
    mut queue: mpsc::UnboundedReceiver<Job>,
    mut committer: Committer,
    batch_events_max: usize,
    commits: watch::Sender<()>,
    shutdown: CancellationToken,
) {
    loop {
        let first = tokio::select! {
            biased;
            job = queue.recv() => job,
            () = shutdown.cancelled() => {
                // Refuse what comes now, and finish what was accepted before.
                queue.close();
                queue.recv().await
            }
        };
        let Some(first) = first else { return };
        let mut events = first.events();
        let mut batch = vec![first];
        while events < batch_events_max
            && let Ok(job) = queue.try_recv()
        {
            events += job.events();
            batch.push(job);
        }
        metrics::histogram!("daybook_append_batch_events").record(events as f64);
        committer.commit(batch).await;
        commits.send_replace(());
    }
}
