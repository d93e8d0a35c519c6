use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chassis::Backoff;
use domain::Partition;
use event_store::{Divergence, EventLog, Head, LogError, advisory_locks};
use futures::StreamExt;
use sqlx::postgres::PgListener;
use sqlx::{ConnectOptions, PgConnection, PgPool};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{BusError, EventPublisher, Published};

mod election;
mod position;
mod stopped;
use position::{RelayPosition, log_stopped};
pub use stopped::{RelayStatus, relay_status, reset_relay};

/// Where a process notifies the relays of other processes that it has appended.
const CHANNEL: &str = "daybook_appended";
/// A question to the database that takes longer is given up, and the locks with it.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);
/// The server finds out within two seconds that the machine of a relay is gone. It notices a process that is
/// killed at once.
const KEEPALIVES: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "1"),
    ("tcp_keepalives_interval", "1"),
    ("tcp_keepalives_count", "1"),
    ("tcp_user_timeout", "2000"),
];
/// Partitions that are published at the same time.
const PARTITIONS_CONCURRENT: usize = 8;
/// How long a lost wake-up can delay a publication, and how often free partitions are looked for.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Rounds follow each other no faster, so that the commits of a while become one publication: each round costs several
/// statements here and with every consumer. What comes after a pause is published at once.
const ROUND_INTERVAL: Duration = Duration::from_millis(50);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// The outbox relay of one process: publishes, in order, the partitions whose advisory lock it holds.
pub struct Relay {
    log: EventLog,
    publisher: Arc<dyn EventPublisher>,
    commits: watch::Receiver<()>,
}

/// What a relay has elected itself for. The server releases the locks when the connection ends.
struct Held {
    connection: PgConnection,
    listener: PgListener,
    positions: BTreeMap<Partition, RelayPosition>,
    /// Heads of partitions that another process relays, as that process was last notified of them.
    notified: BTreeMap<Partition, i64>,
    next_election: tokio::time::Instant,
}

impl Relay {
    /// Starts the relay. It ends when `shutdown` is cancelled; whatever goes wrong in between, it tries again.
    pub fn start(
        log: EventLog,
        publisher: Arc<dyn EventPublisher>,
        commits: watch::Receiver<()>,
        tasks: &mut JoinSet<()>,
        shutdown: CancellationToken,
    ) {
        let mut relay = Self { log, publisher, commits };
        tasks.spawn(async move {
            shutdown.run_until_cancelled_owned(relay.run()).await;
        });
    }

    async fn run(&mut self) {
        let mut backoff = BACKOFF;
        loop {
            let mut progressed = false;
            let error = match in_time(self.hold()).await {
                Ok(mut held) => self.relay(&mut held, &mut progressed).await,
                Err(error) => error,
            };
            if progressed {
                backoff.succeeded();
            }
            let pause = backoff.failed();
            metrics::counter!("daybook_relay_failures_total").increment(1);
            tracing::warn!(%error, retry_in = ?pause, "the relay was interrupted; the log keeps what waits");
            tokio::time::sleep(pause).await;
        }
    }

    async fn hold(&self) -> Result<Held, BusError> {
        // A connection of its own: the locks live as long as it does.
        let options = self.log.pool().connect_options().as_ref().clone().options(KEEPALIVES);
        // A position that a crash takes back is published once more, which consumers are used to.
        let options = options.options([("synchronous_commit", "off")]);
        let mut connection = options.connect().await?;
        sqlx::query!("SELECT pg_advisory_lock_shared($1, 0)", advisory_locks::RELAY_PRESENCE)
            .execute(&mut connection)
            .await?;
        let mut listener = PgListener::connect_with(self.log.pool()).await?;
        listener.listen(CHANNEL).await?;
        let next_election = tokio::time::Instant::now();
        Ok(Held {
            connection,
            listener,
            positions: BTreeMap::new(),
            notified: BTreeMap::new(),
            next_election,
        })
    }

    async fn relay(&mut self, held: &mut Held, progressed: &mut bool) -> BusError {
        loop {
            match self.round(held).await {
                Ok(more) => {
                    *progressed = true;
                    if more {
                        continue;
                    }
                }
                Err(error) => return error,
            }
            tokio::time::sleep(ROUND_INTERVAL).await;
            let woken = tokio::select! {
                changed = self.commits.changed() => {
                    if changed.is_err() {
                        // The appenders have ended; what others append is still relayed.
                        tokio::time::sleep(POLL_INTERVAL).await;
                    }
                    Ok(())
                }
                notified = held.listener.recv() => notified.map(|_| ()),
                () = tokio::time::sleep(POLL_INTERVAL) => Ok(()),
            };
            if let Err(error) = woken {
                return error.into();
            }
        }
    }

    /// Publishes what is new. Returns whether there is more.
    async fn round(&mut self, held: &mut Held) -> Result<bool, BusError> {
        if tokio::time::Instant::now() >= held.next_election {
            in_time(self.elect(held)).await?;
            in_time(self.look_at_stopped(held)).await?;
            held.next_election = tokio::time::Instant::now() + POLL_INTERVAL;
        }
        self.commits.mark_unchanged();
        let mut others = false;
        let mut tasks: Vec<Task> = Vec::new();
        for head in in_time(async { Ok(self.log.heads().await?) }).await? {
            match held.positions.get(&head.partition) {
                Some(published) => tasks.extend(Task::of(head, published)),
                None => others |= held.notified.insert(head.partition, head.position) != Some(head.position),
            }
        }
        measure_backlog(tasks.iter().map(Task::waiting));
        let publishing = async {
            let done = self.publish(&mut tasks).await;
            self.publisher.flush().await.map(|()| done)
        };
        tokio::pin!(publishing);
        let done = loop {
            tokio::select! {
                done = &mut publishing => break done?,
                // A broker that is silent holds up the round, and the backlog grows meanwhile.
                () = tokio::time::sleep(POLL_INTERVAL) => {
                    let Ok(heads) = in_time(async { Ok(self.log.heads().await?) }).await else { continue };
                    measure_backlog(heads.iter().filter_map(|head| Some(head.position - held.positions.get(&head.partition)?.position)));
                }
            }
        };
        in_time(self.store(held, &done)).await?;
        if others {
            sqlx::query!("SELECT pg_notify($1, '')", CHANNEL).execute(self.log.pool()).await?;
        }
        done.failed.map_or(Ok(done.more), Err)
    }

    /// Publishes several partitions at a time; one that fails does not hold up the others.
    async fn publish(&self, tasks: &mut Vec<Task>) -> Done {
        let mut done = Done::default();
        if let Err(error) = in_time(self.check_log(tasks, &mut done)).await {
            done.failed = Some(error);
            return done;
        }
        let publishing = futures::stream::iter(tasks.drain(..))
            .map(|task| async move {
                let outcome = self.carry(&task).await;
                (task, outcome)
            })
            .buffer_unordered(PARTITIONS_CONCURRENT);
        tokio::pin!(publishing);
        while let Some((task, outcome)) = publishing.next().await {
            let partition = task.head.partition;
            match outcome {
                Ok(to) => {
                    done.more |= to < task.head.position;
                    done.checked.insert(partition);
                    if to > task.published.position {
                        done.moved.push((partition, to));
                        let published = (to - task.published.position) as u64;
                        metrics::counter!("daybook_relay_published_total").increment(published);
                    }
                }
                Err(BusError::Diverged(reason)) => done.stopped.push((partition, reason)),
                // Nothing is to be published, so the check can wait.
                Err(_) if task.waiting() <= 0 => {}
                Err(error) => done.failed = Some(error),
            }
        }
        done
    }

    /// Stops what stands at an event that the log does not have any more: it was set back while we ran.
    async fn check_log(&self, tasks: &mut Vec<Task>, done: &mut Done) -> Result<(), BusError> {
        let stands = |task: &Task| (task.head.partition, task.published.position);
        let places: Vec<_> = tasks.iter().map(stands).filter(|(_, position)| *position > 0).collect();
        let found = if places.is_empty() { Vec::new() } else { self.log.stamps(&places).await? };
        tasks.retain(|task| {
            let stamp = found.iter().find(|stamp| stamp.partition == task.head.partition);
            let diverged = task.published.compare(task.head.partition, stamp).err();
            done.stopped.extend(diverged.map(|error| (task.head.partition, error.to_string())));
            diverged.is_none()
        });
        Ok(())
    }

    /// Publishes a partition, after making sure once that the bus ends with an event of this log. Returns how far it came.
    async fn carry(&self, task: &Task) -> Result<i64, BusError> {
        let (partition, after) = (task.head.partition, task.published.position);
        if !task.published.is_bus_checked
            && !task.published.is_superseded
            && let Some(last) = self.publisher.last(partition).await?
        {
            let found = match self.log.stamp(partition, last.position).await {
                Ok(found) => Some(found),
                Err(LogError::Diverged(_)) => None,
                Err(error) => return Err(error.into()),
            };
            last.compare(partition, found.as_ref())?;
        }
        if task.waiting() <= 0 {
            return Ok(after);
        }
        self.publisher.publish(partition, after, task.head.position).await
    }

    /// An operator may have decided about a partition that has stopped.
    async fn look_at_stopped(&self, held: &mut Held) -> Result<(), BusError> {
        if held.positions.values().all(|published| published.stopped.is_none()) {
            return Ok(());
        }
        for (partition, published) in position::read(self.log.pool()).await? {
            if let Some(ours) = held.positions.get_mut(&partition).filter(|ours| ours.stopped.is_some()) {
                *ours = published;
            }
        }
        Ok(())
    }

    async fn store(&self, held: &mut Held, done: &Done) -> Result<(), BusError> {
        // On the connection that holds the locks: were it gone, so would be the right to move the positions.
        for (partition, mut published) in position::store(&mut held.connection, &done.moved).await? {
            if !published.is_noted() {
                let position = published.position;
                let reason = Divergence::Missing { partition, position }.to_string();
                position::stop(&mut held.connection, partition, &reason).await?;
                published.stopped = Some(reason);
                log_stopped(partition, &published);
            }
            held.positions.insert(partition, published);
        }
        for partition in &done.checked {
            if let Some(published) = held.positions.get_mut(partition) {
                published.is_bus_checked = true;
            }
        }
        for (partition, reason) in &done.stopped {
            position::stop(&mut held.connection, *partition, reason).await?;
            if let Some(published) = held.positions.get_mut(partition) {
                published.stopped = Some(reason.clone());
                log_stopped(*partition, published);
            }
        }
        let stopped = held.positions.values().filter(|published| published.stopped.is_some()).count();
        metrics::gauge!("daybook_relay_stopped_partitions").set(stopped as f64);
        Ok(())
    }
}

/// A partition to be published, or to be compared with the bus for the first time.
struct Task {
    head: Head,
    published: RelayPosition,
}

impl Task {
    fn of(head: Head, published: &RelayPosition) -> Option<Self> {
        let is_due = head.position != published.position || !published.is_bus_checked;
        (is_due && published.stopped.is_none()).then(|| Self { head, published: published.clone() })
    }

    fn waiting(&self) -> i64 {
        self.head.position - self.published.position
    }
}

/// The outcome of a round.
#[derive(Default)]
struct Done {
    /// Partitions that were published, each with its last published position.
    moved: Vec<(Partition, i64)>,
    /// Partitions of which the bus ends with an event of this log, or has none.
    checked: BTreeSet<Partition>,
    /// Partitions that stop, and why.
    stopped: Vec<(Partition, String)>,
    more: bool,
    failed: Option<BusError>,
}

/// Sets the metric of what waits, from what waits in each partition.
fn measure_backlog(waiting: impl Iterator<Item = i64>) {
    metrics::gauge!("daybook_relay_backlog_events")
        .set(waiting.map(|waiting| waiting.max(0)).sum::<i64>() as f64);
}

/// How far each partition has been published.
pub(crate) async fn positions(pool: &PgPool) -> Result<Vec<Published>, sqlx::Error> {
    let rows = sqlx::query!("SELECT partition, position FROM relay_position").fetch_all(pool).await?;
    let published = rows.into_iter();
    Ok(published
        .map(|row| Published { partition: Partition(row.partition as u16), position: row.position })
        .collect())
}

async fn in_time<T>(asking: impl Future<Output = Result<T, BusError>>) -> Result<T, BusError> {
    match tokio::time::timeout(DATABASE_TIMEOUT, asking).await {
        Ok(outcome) => outcome,
        Err(_) => Err(BusError::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
    }
}
