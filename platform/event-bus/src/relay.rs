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

mod standing;
mod stopped;
use standing::Standing;
pub use stopped::{RelayStatus, relay_status, reset_relay};

/// By which a process tells the relays of other processes that it has appended.
const CHANNEL: &str = "daybook_appended";
/// A question to the database that takes longer is given up, and the locks with it.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);
/// The server finds out within two seconds that the machine of a relay is gone. Of a process that is killed it hears at
/// once.
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

/// What a relay holds while its connection lives; the server gives up the locks when it ends.
struct Held {
    connection: PgConnection,
    listener: PgListener,
    standings: BTreeMap<Partition, Standing>,
    /// Heads of partitions that another process relays, as last told to it.
    told: BTreeMap<Partition, i64>,
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
        Ok(Held { connection, listener, standings: BTreeMap::new(), told: BTreeMap::new(), next_election })
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

    /// Publishes what is new. Answers whether there is more.
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
            match held.standings.get(&head.partition) {
                Some(standing) => tasks.extend(Task::of(head, standing)),
                None => others |= held.told.insert(head.partition, head.position) != Some(head.position),
            }
        }
        tell_backlog(tasks.iter().map(Task::waiting));
        let publishing = async {
            let done = self.publish(&mut tasks).await;
            self.publisher.flush().await.map(|()| done)
        };
        tokio::pin!(publishing);
        let done = loop {
            tokio::select! {
                done = &mut publishing => break done?,
                // A broker that does not answer holds up the round, and the backlog grows meanwhile.
                () = tokio::time::sleep(POLL_INTERVAL) => {
                    let Ok(heads) = in_time(async { Ok(self.log.heads().await?) }).await else { continue };
                    tell_backlog(heads.iter().filter_map(|head| Some(head.position - held.standings.get(&head.partition)?.position)));
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
                    if to > task.standing.position {
                        done.moved.push((partition, to));
                        let published = (to - task.standing.position) as u64;
                        metrics::counter!("daybook_relay_published_total").increment(published);
                    }
                }
                Err(BusError::Diverged(reason)) => done.stopped.push((partition, reason)),
                // Nobody waits for what the bus would have said.
                Err(_) if task.waiting() <= 0 => {}
                Err(error) => done.failed = Some(error),
            }
        }
        done
    }

    /// Stops what stands at an event that the log does not have any more: it was set back while we ran.
    async fn check_log(&self, tasks: &mut Vec<Task>, done: &mut Done) -> Result<(), BusError> {
        let stands = |task: &Task| (task.head.partition, task.standing.position);
        let places: Vec<_> = tasks.iter().map(stands).filter(|(_, position)| *position > 0).collect();
        let found = if places.is_empty() { Vec::new() } else { self.log.stamps(&places).await? };
        tasks.retain(|task| {
            let stamp = found.iter().find(|stamp| stamp.partition == task.head.partition);
            let diverged = task.standing.compare(task.head.partition, stamp).err();
            done.stopped.extend(diverged.map(|error| (task.head.partition, error.to_string())));
            diverged.is_none()
        });
        Ok(())
    }

    /// Publishes a partition, after making sure once that the bus ends with an event of this log. Returns how far it came.
    async fn carry(&self, task: &Task) -> Result<i64, BusError> {
        let (partition, after) = (task.head.partition, task.standing.position);
        if !task.standing.is_bus_checked
            && !task.standing.is_superseded
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

    /// Takes free partitions up to a fair share of all, and gives up what it has beyond it. Nothing is being published
    /// meanwhile.
    async fn elect(&self, held: &mut Held) -> Result<(), BusError> {
        let relays = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM pg_locks
                WHERE locktype = 'advisory' AND classid::bigint = $1 AND objsubid = 2 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#,
            i64::from(advisory_locks::RELAY_PRESENCE),
        )
        .fetch_one(&mut held.connection)
        .await?;
        let share = usize::from(self.log.partitions().count()).div_ceil(relays.max(1) as usize);
        if held.standings.len() > share {
            let excess: Vec<i32> =
                held.standings.keys().skip(share).map(|partition| i32::from(partition.0)).collect();
            sqlx::query!(
                "SELECT pg_advisory_unlock($1, p) FROM unnest($2::int[]) AS p",
                advisory_locks::RELAY,
                &excess
            )
            .fetch_all(&mut held.connection)
            .await?;
            held.standings.retain(|partition, _| !excess.contains(&i32::from(partition.0)));
            return Ok(());
        }
        let free: Vec<i32> = self
            .log
            .partitions()
            .all()
            .filter(|partition| !held.standings.contains_key(partition))
            .map(|partition| i32::from(partition.0))
            .collect();
        let wanted = share - held.standings.len();
        if free.is_empty() || wanted == 0 {
            return Ok(());
        }
        let taken = sqlx::query_scalar!(
            r#"SELECT p AS "partition!" FROM unnest($1::int[]) AS p WHERE pg_try_advisory_lock($2, p) LIMIT $3"#,
            &free,
            advisory_locks::RELAY,
            wanted as i64,
        )
        .fetch_all(&mut held.connection)
        .await?;
        // Read after the lock: the last holder may have moved it.
        let taken: BTreeSet<i32> = taken.into_iter().collect();
        for (partition, standing) in standing::read(self.log.pool()).await? {
            if taken.contains(&i32::from(partition.0)) {
                tell_stopped(partition, &standing);
                held.standings.insert(partition, standing);
            }
        }
        Ok(())
    }

    /// An operator may have decided about a partition that has stopped.
    async fn look_at_stopped(&self, held: &mut Held) -> Result<(), BusError> {
        if held.standings.values().all(|standing| standing.stopped.is_none()) {
            return Ok(());
        }
        for (partition, standing) in standing::read(self.log.pool()).await? {
            if let Some(ours) = held.standings.get_mut(&partition).filter(|ours| ours.stopped.is_some()) {
                *ours = standing;
            }
        }
        Ok(())
    }

    async fn store(&self, held: &mut Held, done: &Done) -> Result<(), BusError> {
        // On the connection that holds the locks: were it gone, so would be the right to move the positions.
        for (partition, mut standing) in standing::store(&mut held.connection, &done.moved).await? {
            if !standing.is_noted() {
                let position = standing.position;
                let reason = Divergence::Missing { partition, position }.to_string();
                standing::stop(&mut held.connection, partition, &reason).await?;
                standing.stopped = Some(reason);
                tell_stopped(partition, &standing);
            }
            held.standings.insert(partition, standing);
        }
        for partition in &done.checked {
            if let Some(standing) = held.standings.get_mut(partition) {
                standing.is_bus_checked = true;
            }
        }
        for (partition, reason) in &done.stopped {
            standing::stop(&mut held.connection, *partition, reason).await?;
            if let Some(standing) = held.standings.get_mut(partition) {
                standing.stopped = Some(reason.clone());
                tell_stopped(*partition, standing);
            }
        }
        let stopped = held.standings.values().filter(|standing| standing.stopped.is_some()).count();
        metrics::gauge!("daybook_relay_stopped_partitions").set(stopped as f64);
        Ok(())
    }
}

/// A partition to be published, or to be looked at for the first time.
struct Task {
    head: Head,
    standing: Standing,
}

impl Task {
    fn of(head: Head, standing: &Standing) -> Option<Self> {
        let is_due = head.position != standing.position || !standing.is_bus_checked;
        (is_due && standing.stopped.is_none()).then(|| Self { head, standing: standing.clone() })
    }

    fn waiting(&self) -> i64 {
        self.head.position - self.standing.position
    }
}

/// What a round came to.
#[derive(Default)]
struct Done {
    /// How far partitions have been published.
    moved: Vec<(Partition, i64)>,
    /// The bus ends with an event of this log, or with none.
    checked: BTreeSet<Partition>,
    /// And why.
    stopped: Vec<(Partition, String)>,
    more: bool,
    failed: Option<BusError>,
}

fn tell_stopped(partition: Partition, standing: &Standing) {
    if let Some(reason) = &standing.stopped {
        tracing::error!(
            %partition,
            reason,
            "this partition is not published until somebody decides: see `daybook relay reset --help`"
        );
    }
}

/// What waits in each partition.
fn tell_backlog(waiting: impl Iterator<Item = i64>) {
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
