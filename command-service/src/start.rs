use std::sync::Arc;

use access::{Access, Authenticator, HttpAuthority};
use chassis::{Readiness, Service, StartError, Tasks, database};
use domain::Partitions;
use event_bus::{Feed, Group};
use event_store::{Appender, EventLog, History};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::changing::Changer;
use crate::config::Config;
use crate::discarding::Discarder;
use crate::identities::Identities;
use crate::read_model::ReadModel;
use crate::recorder::Recorder;
use crate::rejections::Rejections;
use crate::state::{AppState, Shared};
use crate::stream::StreamPlaces;

/// What its connections are called in `pg_stat_activity`.
const SESSION: &str = "daybook-activities";
const DATABASE: &str = "the database of activities (DAYBOOK_ACTIVITIES_DATABASE_URL)";
/// Following revocations takes one connection that listens and one that reads.
const REVOCATIONS_CONNECTIONS_MAX: u32 = 2;
/// Groups of lines of all streams that are recorded at the same time: together fewer events than the appenders' queue takes.
const STREAM_GROUPS_MAX: usize = 32;

/// Starts the service: its database, the log with appenders and relay, and the cache of validated tokens. The router has
/// neither `/healthz` and `/readyz`, which come from the readiness, nor the layer of [`chassis::observe`].
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Service, StartError> {
    let pool = database::connect(DATABASE, config.database, SESSION, config.connections_max).await?;
    if config.migrate {
        database::migrate_at_start(DATABASE, &crate::MIGRATOR, &pool).await?;
    }
    let log = EventLog::open(pool.clone(), config.partitions).await;
    let log =
        log.map_err(|error| error.at_start(DATABASE, " Set DAYBOOK_PARTITIONS to the stored number."))?;
    let mut tasks = Tasks::new();
    let appender = Appender::start(&log, config.appender, &mut tasks, &shutdown);
    let carried = ("the log of activities", Feed::Activities);
    config.bus.start_relay(carried, &log, appender.commits(), &mut tasks, shutdown.clone()).await?;

    let authority = HttpAuthority { upstream: config.customers, key: config.internal_key.clone() };
    let authenticator = Authenticator::new(Arc::new(authority), config.tokens);
    // It connects when it is first used: this service starts before customers, and goes on without them.
    let customers = database::pool(config.customers_database, SESSION, REVOCATIONS_CONNECTIONS_MAX);
    let customers_log = EventLog::reading(customers, Partitions::ONE);
    let revocations = config.bus.subscription(Feed::Tokens, customers_log, &Group::alone("activities"));
    authenticator.follow_revocations(revocations, &mut tasks, shutdown.clone());
    let rejections = Rejections::start(pool.clone(), &mut tasks, shutdown);

    let read_model = ReadModel { reports: config.reports, key: config.internal_key.clone() };
    let written = appender.clone();
    let state = AppState::new(Shared {
        recorder: Recorder::new(log.clone(), appender.clone()),
        discarder: Discarder::new(log.clone(), appender.clone()),
        identities: Identities::new(log.clone(), appender.clone()),
        changer: Changer::new(log.clone(), appender),
        history: History::of(log.clone()).with_index(Arc::new(read_model)),
        log,
        access: Access::new(authenticator, config.internal_key),
        limits: config.limits,
        rejections,
        batches: Arc::new(Semaphore::new(config.limits.batches_max.min(Semaphore::MAX_PERMITS))),
        streams: StreamPlaces::new(config.limits.streams_max),
        stream_groups: Arc::new(Semaphore::new(STREAM_GROUPS_MAX)),
    });
    let readiness = Readiness::default()
        .with("activities database", move || database::probe(pool.clone()))
        .with("activities log", move || written.clone().writable());
    Ok(Service { router: crate::router(state), readiness, tasks })
}
