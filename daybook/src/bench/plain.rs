//! cqrs-es and postgres-es used plainly: what single posts are compared with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cqrs_es::CqrsFramework;
use cqrs_es::persist::PersistedEventStore;
use domain::ActivityId;
use domain::activity::{Activity, ActivityCommand, Pending};
use postgres_es::PostgresEventRepository;
use sqlx::{Executor, PgPool};
use uuid::Uuid;

use super::rows::body;
use super::{CONNECTIONS, database_failure};
use crate::failure::Failure;

type Framework = CqrsFramework<Activity, PersistedEventStore<PostgresEventRepository, Activity>>;

/// As postgres-es' documentation says; the name is given to it below, since `events` is the log's.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS bench_plain (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
    timestamp timestamptz DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// Commands a second: `CqrsFramework::execute` from 64 tasks, without HTTP.
pub(super) async fn measure(url: &str, lasts: Duration) -> Result<f64, Failure> {
    let pool: PgPool = postgres_es::default_postgress_pool(url).await;
    pool.execute(TABLE).await.map_err(database_failure)?;
    let repository =
        PostgresEventRepository::new(pool.clone()).with_tables("bench_plain", "bench_plain_snapshots");
    let framework: Arc<Framework> =
        Arc::new(CqrsFramework::new(PersistedEventStore::new_event_store(repository), Vec::new(), ()));
    let done = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let tasks = (0..CONNECTIONS).map(|task| {
        let (framework, done) = (Arc::clone(&framework), Arc::clone(&done));
        tokio::spawn(async move {
            for n in (task..).step_by(CONNECTIONS) {
                if began.elapsed() >= lasts {
                    return Ok(());
                }
                let pending: Pending = serde_json::from_str(&body(n)).map_err(|error| error.to_string())?;
                let checked = pending.check(chrono::Utc::now(), || ActivityId::from_uuid(Uuid::now_v7()));
                let (id, content) = checked.map_err(|faults| format!("{faults:?}"))?;
                let command = ActivityCommand::RecordActivity { content };
                framework.execute(id.as_str(), command).await.map_err(|error| error.to_string())?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, String>(())
        })
    });
    for outcome in futures::future::join_all(tasks).await {
        outcome
            .map_err(|error| error.to_string())
            .and_then(|outcome| outcome)
            .map_err(|error| Failure::Failed(format!("cqrs-es with postgres-es: {error}")))?;
    }
    let rate = done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    pool.execute("DROP TABLE bench_plain").await.map_err(database_failure)?;
    Ok(rate)
}
