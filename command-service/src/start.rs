use std::sync::Arc;
use std::time::Duration;

use access::{Access, Authenticator, HttpAuthority};
use chassis::{Readiness, Service, StartError, Tasks};
use domain::Partitions;
use event_bus::{BusError, Feed, Group, Relay};
use event_store::{Appender, EventLog, LogError, SessionError};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::changing::Changer;
use crate::config::Config;
use crate::discarding::Discarder;
use crate::recorder::Recorder;
use crate::state::{AppState, Shared};

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
const DATABASE: &str = "the database of activities (DAYBOOK_ACTIVITIES_DATABASE_URL)";
/// Following revocations takes one connection that listens and one that reads.
const REVOCATIONS_CONNECTIONS_MAX: u32 = 2;

/// Starts the service: its database, the log with appenders and relay, and the cache of validated tokens. The router has
/// neither `/healthz` and `/readyz`, which come from the readiness, nor the layer of [`chassis::observe`].
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Service, StartError> {
    let pool = connect(&config).await?;
    let log = EventLog::open(pool.clone(), config.partitions).await.map_err(unopened)?;
    let mut tasks = Tasks::new();
    let appender = Appender::start(&log, config.appender, &mut tasks, &shutdown);
    config.bus.prepare(Feed::Activities, &log).await.map_err(refused)?;
    let publisher = config.bus.publisher(Feed::Activities, log.clone());
    Relay::start(log.clone(), publisher, appender.commits(), &mut tasks, shutdown.clone());

    let authority = HttpAuthority { upstream: config.customers, key: config.internal_key.clone() };
    let authenticator = Authenticator::new(Arc::new(authority), config.tokens);
    let customers_log = log_of_customers(config.customers_database);
    let revocations = config.bus.subscription(Feed::Tokens, customers_log, &Group::alone("activities"));
    authenticator.follow_revocations(revocations, &mut tasks, shutdown);

    let written = appender.clone();
    let state = AppState::new(Shared {
        recorder: Recorder::new(log.clone(), appender.clone()),
        discarder: Discarder::new(log.clone(), appender.clone()),
        changer: Changer::new(log.clone(), appender),
        log,
        access: Access::new(authenticator, config.internal_key),
        limits: config.limits,
        batches: Arc::new(Semaphore::new(config.limits.batches_max.min(Semaphore::MAX_PERMITS))),
    });
    let readiness = Readiness::default().with("activities database", move || probe(pool.clone()));
    let readiness = readiness.with("activities log", move || {
        let appender = written.clone();
        async move { appender.writable().await }
    });
    Ok(Service { router: crate::router(state), readiness, tasks })
}

async fn connect(config: &Config) -> Result<PgPool, StartError> {
    let options = event_store::session(config.database.clone(), "daybook-activities");
    let pool = PgPoolOptions::new()
        .max_connections(config.connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    event_store::refuse_pooler(&pool).await.map_err(|error| match error {
        SessionError::Pooled => StartError::Unusable(format!("{DATABASE} cannot be used: {error}")),
        SessionError::Database(error) => StartError::unreachable(DATABASE, error),
    })?;
    if config.migrate {
        let failed =
            |error| StartError::Unusable(format!("{DATABASE} cannot be brought up to date: {error}"));
        event_store::migrate(&crate::MIGRATOR, &pool).await.map_err(failed)?;
    }
    Ok(pool)
}

/// Connects when it is first used: this service starts before customers, and goes on without them.
fn log_of_customers(options: PgConnectOptions) -> EventLog {
    let options = event_store::session(options, "daybook-activities");
    let pool = PgPoolOptions::new()
        .max_connections(REVOCATIONS_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    EventLog::reading(pool, Partitions::ONE)
}

fn unopened(error: LogError) -> StartError {
    if error.is_passing() {
        return StartError::unreachable(DATABASE, error);
    }
    let hint = match &error {
        LogError::Database(error) if event_store::is_unmigrated(error) => " Run `daybook migrate` first.",
        LogError::PartitionsDiffer { .. } => " Set DAYBOOK_PARTITIONS to the stored number.",
        LogError::Database(_) | LogError::Decode(_) | LogError::Unreadable(_) | LogError::Diverged(_) => "",
    };
    StartError::Unusable(format!("{DATABASE} cannot be used: {error}.{hint}"))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn refused(error: BusError) -> StartError {
    StartError::Unusable(format!("the bus cannot carry the log of activities: {error}"))
}

async fn probe(pool: PgPool) -> Result<(), String> {
    sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(&pool).await.map(|_| ()).map_err(|error| {
        tracing::warn!(%error, "activities has no database");
        "cannot be reached".to_owned()
    })
}
