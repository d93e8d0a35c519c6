use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::Partition;
use event_store::EventLog;
use sqlx::postgres::PgListener;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{BusError, EventPublisher};

/// By which a process tells the relays of other processes that it has appended.
const CHANNEL: &str = "daybook_appended";
/// Advisory locks of relays, apart from any other use of them in this database.
const LOCK_CLASS: i32 = 0x0DA7;
/// How long a lost wake-up can delay a publication, and how often free partitions are looked for.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Rounds follow each other no faster, so that a burst of commits becomes one publication.
const ROUND_INTERVAL: Duration = Duration::from_millis(10);
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
            let error = match self.hold().await {
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
        let connection = self.log.pool().connect_options().connect().await?;
        let mut listener = PgListener::connect_with(self.log.pool()).await?;
        listener.listen(CHANNEL).await?;
        let next_election = tokio::time::Instant::now();
        Ok(Held { connection, listener, positions: BTreeMap::new(), told: BTreeMap::new(), next_election })
    }

    async fn relay(&mut self, held: &mut Held, progressed: &mut bool) -> BusError {
        loop {
            match self.round(held).await {
                Ok(()) => *progressed = true,
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

    async fn round(&mut self, held: &mut Held) -> Result<(), BusError> {
        if tokio::time::Instant::now() >= held.next_election {
            self.elect(held).await?;
            held.next_election = tokio::time::Instant::now() + POLL_INTERVAL;
        }
        self.commits.mark_unchanged();
        let mut others = false;
        let mut moved = Vec::new();
        for head in self.log.heads().await? {
            let Some(published) = held.positions.get_mut(&head.partition) else {
                others |= held.told.insert(head.partition, head.position) != Some(head.position);
                continue;
            };
            if head.position > *published {
                let to = self.publisher.publish(head.partition, *published, head.position).await?;
                moved.push((head.partition, to));
            }
        }
        self.publisher.flush().await?;
        self.store(held, &moved).await?;
        if others {
            sqlx::query!("SELECT pg_notify($1, '')", CHANNEL).execute(self.log.pool()).await?;
        }
        Ok(())
    }

    /// Takes every partition that nobody relays.
    async fn elect(&self, held: &mut Held) -> Result<(), BusError> {
        let free: Vec<i32> = self
            .log
            .partitions()
            .all()
            .filter(|partition| !held.positions.contains_key(partition))
            .map(|partition| i32::from(partition.0))
            .collect();
        if free.is_empty() {
            return Ok(());
        }
        let taken = sqlx::query_scalar!(
            r#"SELECT p AS "partition!" FROM unnest($1::int[]) AS p WHERE pg_try_advisory_lock($2, p)"#,
            &free,
            LOCK_CLASS,
        )
        .fetch_all(&mut held.connection)
        .await?;
        // Read after the lock: the last holder may have moved it.
        let taken: BTreeSet<i32> = taken.into_iter().collect();
        let positions =
            sqlx::query!("SELECT partition, position FROM relay_position").fetch_all(self.log.pool()).await?;
        for row in positions.into_iter().filter(|row| taken.contains(&row.partition)) {
            held.positions.insert(Partition(row.partition as u16), row.position);
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
