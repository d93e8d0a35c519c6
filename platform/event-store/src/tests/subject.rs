use std::collections::BTreeMap;
use std::time::Duration;

use domain::{CustomerId, Partition, Partitions};
use scratch_database::ScratchDatabase;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Append, Appender, AppenderConfig, EventLog, History, NewEvent, RecordedEvent};

pub(super) const PARTITIONS: u16 = 4;
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A log of its own, with appenders.
pub(super) struct Subject {
    pub(super) log: EventLog,
    pub(super) appender: Appender,
    pub(super) database: ScratchDatabase,
    _tasks: JoinSet<()>,
}

impl Subject {
    pub(super) async fn start() -> Self {
        Self::start_with(AppenderConfig { appenders: 2, ..AppenderConfig::default() }, |options| options)
            .await
    }

    /// `route` says how the appenders reach the database, which may differ from how the test does.
    pub(super) async fn start_with(
        config: AppenderConfig,
        route: impl Fn(PgConnectOptions) -> PgConnectOptions,
    ) -> Self {
        let database = ScratchDatabase::migrated("activities").await;
        let partitions = Partitions::new(PARTITIONS).unwrap();
        let log = EventLog::open(database.pool().clone(), partitions).await.unwrap();
        let pool = PgPoolOptions::new().connect_lazy_with(route(database.options()));
        let routed = EventLog::open(pool, partitions).await.unwrap();
        let mut tasks = JoinSet::new();
        let appender = Appender::start(&routed, config, &mut tasks, &CancellationToken::new());
        Self { log, appender, database, _tasks: tasks }
    }

    pub(super) fn history(&self) -> History {
        History::of(self.log.clone())
    }

    /// All events of all partitions; checks that positions are 1, 2, 3 … up to the head.
    pub(super) async fn dense(&self) -> BTreeMap<(Partition, i64), RecordedEvent> {
        let mut all = BTreeMap::new();
        for head in self.log.heads().await.unwrap() {
            let mut last = 0;
            let mut recorded_at = chrono::DateTime::<chrono::Utc>::MIN_UTC;
            loop {
                let page = self.log.read(head.partition, last, 1_000).await.unwrap();
                if page.is_empty() {
                    break;
                }
                for event in page {
                    assert_eq!(event.position, last + 1, "partition {} has a hole", head.partition);
                    assert!(
                        event.recorded_at >= recorded_at,
                        "time went back in partition {}",
                        head.partition
                    );
                    (last, recorded_at) = (event.position, event.recorded_at);
                    all.insert((event.partition, event.position), event);
                }
            }
            assert_eq!(last, head.position, "the head of partition {} is not its last event", head.partition);
        }
        all
    }

    /// Ends the appenders' connections, as an administrator or a failing network would.
    pub(super) async fn kill_appenders(&self) {
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'daybook-appender'",
        )
        .execute(self.database.pool())
        .await
        .unwrap();
    }
}

/// A customer whose history lies in the partition.
pub(super) fn customer_in(partition: u16) -> CustomerId {
    let partitions = Partitions::new(PARTITIONS).unwrap();
    std::iter::repeat_with(|| CustomerId(Uuid::now_v7()))
        .find(|customer| partitions.of(*customer) == Partition(partition))
        .unwrap()
}

pub(super) fn append(customer: CustomerId, stream: &str, sequence: i64, events: usize) -> Append {
    Append {
        partition: Partitions::new(PARTITIONS).unwrap().of(customer),
        customer_id: customer,
        aggregate_type: "activity",
        aggregate_id: format!("{customer}:{stream}"),
        sequence,
        events: (0..events)
            .map(|n| NewEvent {
                event_id: Uuid::now_v7(),
                event_type: "ActivityRecorded".into(),
                event_version: "2.0.0".into(),
                payload: format!(r#"{{"type":"t{n}","actor":"{stream}"}}"#),
                metadata: "{}".into(),
            })
            .collect(),
    }
}

/// Waits until a condition holds.
pub(super) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("it never came about that {what}"));
}
