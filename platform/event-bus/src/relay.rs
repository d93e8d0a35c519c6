use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::Partition;
use event_store::{EventLog, Head};
use futures::StreamExt;
use sqlx::postgres::PgListener;
use sqlx::{ConnectOptions, PgConnection, PgPool};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{BusError, EventPublisher, Published};

/// By which a process tells the relays of other processes that it has appended.
const CHANNEL: &str = "daybook_appended";
/// Advisory locks of relays, apart from any other use of them in this database.
const LOCK_CLASS: i32 = 0x0DA7;
/// Every relay holds this one together with the others; who holds it is there.
const PRESENCE_CLASS: i32 = 0x0DA8;
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
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

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
    positions: BTreeMap<Partition, i64>,
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
        let mut pause = RETRY_FIRST;
        loop {
            let mut progressed = false;
            let error = match in_time(self.hold()).await {
                Ok(mut held) => self.relay(&mut held, &mut progressed).await,
                Err(error) => error,
            };
            pause = if progressed { RETRY_FIRST } else { (pause * 2).min(RETRY_LONGEST) };
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
        sqlx::query!("SELECT pg_advisory_lock_shared($1, 0)", PRESENCE_CLASS)
            .execute(&mut connection)
            .await?;
        let mut listener = PgListener::connect_with(self.log.pool()).await?;
        listener.listen(CHANNEL).await?;
        let next_election = tokio::time::Instant::now();
        Ok(Held { connection, listener, positions: BTreeMap::new(), told: BTreeMap::new(), next_election })
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
            held.next_election = tokio::time::Instant::now() + POLL_INTERVAL;
        }
        self.commits.mark_unchanged();
        let mut others = false;
        let mut waiting: Vec<(Head, i64)> = Vec::new();
        for head in in_time(async { Ok(self.log.heads().await?) }).await? {
            match held.positions.get(&head.partition) {
                Some(published) if head.position > *published => waiting.push((head, *published)),
                Some(_) => {}
                None => others |= held.told.insert(head.partition, head.position) != Some(head.position),
            }
        }
        tell_backlog(waiting.iter().map(|(head, published)| head.position - published));
        let publishing = async {
            let published = self.publish(waiting).await;
            self.publisher.flush().await.map(|()| published)
        };
        tokio::pin!(publishing);
        let (moved, more, failed) = loop {
            tokio::select! {
                published = &mut publishing => break published?,
                // A broker that does not answer holds up the round, and the backlog grows meanwhile.
                () = tokio::time::sleep(POLL_INTERVAL) => {
                    let Ok(heads) = in_time(async { Ok(self.log.heads().await?) }).await else { continue };
                    tell_backlog(heads.iter().filter_map(|head| Some(head.position - held.positions.get(&head.partition)?)));
                }
            }
        };
        in_time(self.store(held, &moved)).await?;
        if others {
            sqlx::query!("SELECT pg_notify($1, '')", CHANNEL).execute(self.log.pool()).await?;
        }
        failed.map_or(Ok(more), Err)
    }

    /// Publishes several partitions at a time; one that fails does not hold up the others. Answers how far each has come,
    /// whether there is more, and what failed.
    async fn publish(&self, waiting: Vec<(Head, i64)>) -> (Vec<(Partition, i64)>, bool, Option<BusError>) {
        let publishing = futures::stream::iter(waiting)
            .map(|(head, published)| async move {
                (head, published, self.publisher.publish(head.partition, published, head.position).await)
            })
            .buffer_unordered(PARTITIONS_CONCURRENT);
        let (mut moved, mut more, mut failed) = (Vec::new(), false, None);
        tokio::pin!(publishing);
        while let Some((head, published, outcome)) = publishing.next().await {
            match outcome {
                Ok(to) => {
                    more |= to < head.position;
                    if to > published {
                        moved.push((head.partition, to));
                        metrics::counter!("daybook_relay_published_total").increment((to - published) as u64);
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        (moved, more, failed)
    }

    /// Takes free partitions up to a fair share of all, and gives up what it has beyond it. Nothing is being published
    /// meanwhile.
    async fn elect(&self, held: &mut Held) -> Result<(), BusError> {
        let relays = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM pg_locks
                WHERE locktype = 'advisory' AND classid::bigint = $1 AND objsubid = 2 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#,
            i64::from(PRESENCE_CLASS),
        )
        .fetch_one(&mut held.connection)
        .await?;
        let share = usize::from(self.log.partitions().count()).div_ceil(relays.max(1) as usize);
        if held.positions.len() > share {
            let excess: Vec<i32> =
                held.positions.keys().skip(share).map(|partition| i32::from(partition.0)).collect();
            sqlx::query!("SELECT pg_advisory_unlock($1, p) FROM unnest($2::int[]) AS p", LOCK_CLASS, &excess)
                .fetch_all(&mut held.connection)
                .await?;
            held.positions.retain(|partition, _| !excess.contains(&i32::from(partition.0)));
            return Ok(());
        }
        let free: Vec<i32> = self
            .log
            .partitions()
            .all()
            .filter(|partition| !held.positions.contains_key(partition))
            .map(|partition| i32::from(partition.0))
            .collect();
        let wanted = share - held.positions.len();
        if free.is_empty() || wanted == 0 {
            return Ok(());
        }
        let taken = sqlx::query_scalar!(
            r#"SELECT p AS "partition!" FROM unnest($1::int[]) AS p WHERE pg_try_advisory_lock($2, p) LIMIT $3"#,
            &free,
            LOCK_CLASS,
            wanted as i64,
        )
        .fetch_all(&mut held.connection)
        .await?;
        // Read after the lock: the last holder may have moved it.
        let taken: BTreeSet<i32> = taken.into_iter().collect();
        for published in positions(self.log.pool()).await? {
            if taken.contains(&i32::from(published.partition.0)) {
                held.positions.insert(published.partition, published.position);
            }
        }
        Ok(())
    }

    async fn store(&self, held: &mut Held, moved: &[(Partition, i64)]) -> Result<(), BusError> {
        if moved.is_empty() {
            return Ok(());
        }
        let partitions: Vec<i32> = moved.iter().map(|(partition, _)| i32::from(partition.0)).collect();
        let positions: Vec<i64> = moved.iter().map(|(_, position)| *position).collect();
        // On the connection that holds the locks: were it gone, so would be the right to move the positions.
        sqlx::query!(
            "UPDATE relay_position r SET position = m.position
               FROM unnest($1::int[], $2::bigint[]) AS m (partition, position) WHERE r.partition = m.partition",
            &partitions,
            &positions,
        )
        .execute(&mut held.connection)
        .await?;
        for (partition, position) in moved {
            held.positions.insert(*partition, *position);
        }
        Ok(())
    }
}

/// What waits in each partition.
fn tell_backlog(waiting: impl Iterator<Item = i64>) {
    metrics::gauge!("daybook_relay_backlog_events").set(waiting.sum::<i64>() as f64);
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
