use std::sync::Arc;
use std::time::Duration;

use access::{Access, Authenticator, HttpAuthority};
use chassis::{Outage, Readiness, Service, StartError, Tasks, database};
use domain::Partitions;
use event_bus::{Feed, Group};
use event_store::{EventLog, LogError};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::fold::{Folder, note_of_log};
use crate::generations;
use crate::intake::Intake;
use crate::lag::Lag;
use crate::rebuild::{RebuildError, RebuildOptions, is_outdated, rebuild, run_requested};
use crate::state::AppState;
use crate::status::diverged;
use crate::store::{Merger, Sizes};
use crate::view::{ColumnCache, IdentityCache, ScanSlots, TraitCache};
use crate::worker::{JOBS_CONCURRENT, JobContext, Worker};

/// How long a start waits for activities to create its log.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);
const LOG_POLL_INTERVAL: Duration = Duration::from_millis(100);
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Each job reads, the intake listens and polls, and one more checks.
const LOG_CONNECTIONS_MAX: u32 = JOBS_CONCURRENT as u32 + 3;
/// One listens and one reads.
const CUSTOMERS_CONNECTIONS_MAX: u32 = 2;
/// Partitions that are folded at the same time when the service rebuilds by itself: it has something else to do.
const REBUILD_PARALLEL: usize = 2;
/// What its connections are called in `pg_stat_activity`.
const SESSION: &str = "daybook-reports";
const DATABASE: &str = "the database of reports (DAYBOOK_REPORTS_DATABASE_URL)";
const ACTIVITIES: &str = "the log of activities (DAYBOOK_ACTIVITIES_DATABASE_URL)";

/// Starts the service: its database, its intake and its jobs. The router has neither `/healthz` and `/readyz`, which come
/// from the readiness, nor the layer of [`chassis::observe`].
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Service, StartError> {
    let pool = database::connect(DATABASE, config.database.clone(), SESSION, config.connections_max).await?;
    if config.migrate {
        database::migrate_at_start(DATABASE, &crate::MIGRATOR, &pool).await?;
    }
    let log = open_log(&config).await?;
    let unusable = |error: sqlx::Error| {
        StartError::Unusable(format!("{DATABASE} cannot be used: {error}.{}", database::hint(&error)))
    };
    generations::ensure(&pool, log.partitions()).await.map_err(unusable)?;
    note_of_log(&pool, &log, &[])
        .await
        .map_err(|error| StartError::Unusable(format!("{ACTIVITIES} cannot be used: {error}.")))?;

    let mut tasks = Tasks::new();
    let authenticator = authenticator(&config, &mut tasks, &shutdown);
    let lag = Arc::<Lag>::default();
    fold(&config, &pool, &log, &lag, &mut tasks, &shutdown);
    tasks.spawn(rebuild_when_needed(pool.clone(), log.clone(), shutdown));

    let state = state(&config, &pool, &log, lag, authenticator);
    // Whoever starts on a log that was set back is told at once, and not by the first job.
    let (checked_pool, checked_log) = (pool.clone(), log.clone());
    let _ = probe_checkpoints(pool.clone(), log.clone()).await;
    let readiness = Readiness::default()
        .with("reports database", move || database::probe(pool.clone()))
        .with("log of activities", move || probe_log(log.clone()))
        .with("checkpoints", move || probe_checkpoints(checked_pool.clone(), checked_log.clone()));
    Ok(Service { router: crate::router(state), readiness, tasks })
}

/// What the handlers work with.
pub(crate) fn state(
    config: &Config,
    pool: &PgPool,
    log: &EventLog,
    lag: Arc<Lag>,
    authenticator: Authenticator,
) -> AppState {
    AppState {
        pool: pool.clone(),
        log: log.clone(),
        columns: ColumnCache::new(config.cache_bytes),
        identities: IdentityCache::default(),
        traits: TraitCache::default(),
        slots: ScanSlots::new(std::thread::available_parallelism().map_or(1, usize::from)),
        query_bytes_max: config.query_bytes_max,
        wait_for_max: config.wait_for_max,
        partitions: log.partitions(),
        lag,
        access: Access::new(authenticator, config.internal_key.clone()),
        activities: config.activities.clone(),
    }
}

fn read_only(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([("default_transaction_read_only", "on")])
}

/// Opens the log of activities, which that service creates when it first starts; the two may start at the same time.
async fn open_log(config: &Config) -> Result<EventLog, StartError> {
    let options = read_only(&config.activities_database);
    let pool = database::connect(ACTIVITIES, options, SESSION, LOG_CONNECTIONS_MAX).await?;
    let opening = async {
        loop {
            match EventLog::open_existing(pool.clone()).await {
                Err(error) if is_missing(&error) => tokio::time::sleep(LOG_POLL_INTERVAL).await,
                other => return other,
            }
        }
    };
    match tokio::time::timeout(LOG_TIMEOUT, opening).await {
        Ok(Ok(log)) => Ok(log),
        Ok(Err(error)) => Err(error.at_start(ACTIVITIES, "")),
        Err(_) => Err(StartError::unreachable(ACTIVITIES, "it has not been created; start activities first")),
    }
}

fn is_missing(error: &LogError) -> bool {
    match error {
        LogError::PartitionsDiffer { stored, .. } => *stored == 0,
        LogError::Database(error) => database::is_unmigrated(error),
        LogError::Decode(_) | LogError::Unreadable(_) | LogError::Diverged(_) => false,
    }
}

fn fold(
    config: &Config,
    pool: &PgPool,
    log: &EventLog,
    lag: &Arc<Lag>,
    tasks: &mut Tasks,
    shutdown: &CancellationToken,
) {
    let scheduled = Arc::new(Notify::new());
    let subscription = config.bus.subscription(Feed::Activities, log.clone(), &Group::shared("reports"));
    let context = JobContext {
        pool: pool.clone(),
        folder: Arc::new(Folder::new(log.clone(), Sizes::default())),
        subscription: Arc::clone(&subscription),
        lag: Arc::clone(lag),
        fold_delay: config.fold_delay,
        scheduled: Arc::clone(&scheduled),
    };
    let worker = Worker { context: Arc::new(context), scheduled: Arc::clone(&scheduled) };
    tasks.spawn(worker.run(shutdown.clone()));
    let intake = Intake {
        pool: pool.clone(),
        subscription,
        lag: Arc::clone(lag),
        fold_delay: config.fold_delay,
        scheduled,
    };
    tasks.spawn(intake.run(shutdown.clone()));
    tasks.spawn(Merger { pool: pool.clone(), sizes: Sizes::default() }.run(shutdown.clone()));
}

/// Validates tokens with customers, and follows revocations as soon as the log of customers can be read. Reports starts
/// without it: then every token is validated anew.
fn authenticator(config: &Config, tasks: &mut Tasks, shutdown: &CancellationToken) -> Authenticator {
    let authority = HttpAuthority { upstream: config.customers.clone(), key: config.internal_key.clone() };
    let authenticator = Authenticator::new(Arc::new(authority), config.tokens);
    let pool = database::pool(read_only(&config.customers_database), SESSION, CUSTOMERS_CONNECTIONS_MAX);
    let (following, bus, shutdown) = (authenticator.clone(), config.bus.clone(), shutdown.clone());
    tasks.spawn(async move {
        let Some(log) = shutdown.run_until_cancelled(open_customers(pool)).await else { return };
        let mut tasks = Tasks::new();
        let revocations = bus.subscription(Feed::Tokens, log, &Group::alone("reports"));
        following.follow_revocations(revocations, &mut tasks, shutdown);
        tasks.join_all().await;
    });
    authenticator
}

async fn open_customers(pool: PgPool) -> EventLog {
    let mut outage = Outage::default();
    loop {
        let reason = match EventLog::open_existing(pool.clone()).await {
            Ok(log) if log.partitions() == Partitions::ONE => return log,
            Ok(_) => "it is the log of another service".to_owned(),
            Err(error) => error.to_string(),
        };
        if outage.begins() {
            tracing::warn!(
                %reason,
                "the log of customers (DAYBOOK_CUSTOMERS_DATABASE_URL) is out of reach; every token is validated anew until it is read"
            );
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

/// Rebuilds the read model beside the old one, if its code is newer than what folded that, or somebody has asked for it.
async fn rebuild_when_needed(pool: PgPool, log: EventLog, shutdown: CancellationToken) {
    let keeping = async {
        loop {
            let outcome = async {
                if is_outdated(&pool).await? {
                    tracing::info!("the fold has changed, and the read model is rebuilt");
                    let options =
                        RebuildOptions { verify: false, parallel: REBUILD_PARALLEL, load_max: None };
                    rebuild(&pool, &log, options, |_| {}).await?;
                }
                run_requested(&pool, &log, REBUILD_PARALLEL).await
            };
            match outcome.await {
                // If another process is at it, nothing is left to do when it is done.
                Ok(_) | Err(RebuildError::Busy) => {}
                Err(error) => tracing::error!(%error, "the read model cannot be rebuilt; trying again"),
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    };
    let _ = shutdown.run_until_cancelled(keeping).await;
}

async fn probe_log(log: EventLog) -> Result<(), String> {
    log.heads().await.map(|_| ()).map_err(|error| {
        tracing::warn!(%error, "reports cannot read the log of activities");
        "cannot be read".to_owned()
    })
}

/// Whether the log is the one that was folded.
async fn probe_checkpoints(pool: PgPool, log: EventLog) -> Result<(), String> {
    match diverged(&pool, &log).await {
        Ok(diverged) if diverged.is_empty() => Ok(()),
        Ok(diverged) => {
            for (partition, divergence) in &diverged {
                tracing::error!(%partition, %divergence, "a partition is not folded any further; `daybook rebuild` folds everything anew");
            }
            Err("stand at events that the log does not have: run `daybook rebuild`".to_owned())
        }
        // The other probes say that.
        Err(_) => Ok(()),
    }
}
