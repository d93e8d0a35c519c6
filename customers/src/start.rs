use std::sync::Arc;

use access::{Access, Authenticator};
use chassis::{Readiness, Service, StartError, Tasks, database};
use domain::Partitions;
use event_bus::{Feed, Group};
use event_store::{Aggregates, Appender, AppenderConfig, EventLog, Repository};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::passwords::hashing::Passwords;
use crate::passwords::reset_links::PasswordResets;
use crate::passwords::reset_mail::ResetMails;
use crate::projection::Projection;
use crate::sessions::cookie::Cookies;
use crate::sessions::lifetimes::Lifetimes;
use crate::state::AppState;
use crate::tokens::authority::OwnAuthority;

/// What its connections are called in `pg_stat_activity`.
const SESSION: &str = "daybook-customers";
const DATABASE: &str = "the database of customers (DAYBOOK_CUSTOMERS_DATABASE_URL)";

/// Starts the service: its database, its log with appender and relay, its read models. The router has neither
/// `/healthz` and `/readyz`, which come from the readiness, nor the layer of [`chassis::observe`].
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Service, StartError> {
    let pool = database::connect(DATABASE, config.database, SESSION, config.connections_max).await?;
    if config.migrate {
        database::migrate_at_start(DATABASE, &crate::MIGRATOR, &pool).await?;
    }
    let log = EventLog::open(pool.clone(), Partitions::ONE).await;
    let log = log.map_err(|error| error.at_start(DATABASE, ""))?;
    let mut tasks = Tasks::new();
    let limits = AppenderConfig { appenders: 1, ..AppenderConfig::default() };
    let appender = Appender::start(&log, limits, &mut tasks, &shutdown);
    let carried = ("the log of customers", Feed::Tokens);
    config.bus.start_relay(carried, &log, appender.commits(), &mut tasks, shutdown.clone()).await?;

    let projection = Projection::new(log.clone());
    let unusable =
        |error| StartError::Unusable(format!("the read models of customers cannot be filled: {error}"));
    projection.catch_up().await.map_err(unusable)?;
    let subscribe = |name| config.bus.subscription(Feed::Tokens, log.clone(), &Group::alone(name));
    projection.follow(subscribe("customers-read-models"), &mut tasks, shutdown.clone());

    let authority = Arc::new(OwnAuthority { pool: pool.clone() });
    let authenticator = Authenticator::new(Arc::<OwnAuthority>::clone(&authority), config.tokens);
    authenticator.follow_revocations(subscribe("customers"), &mut tasks, shutdown.clone());

    let written = appender.clone();
    let repository = Repository::new(log, appender);
    let customers = Arc::new(Aggregates::new(repository.clone()));
    let public_url = config.public_url.trim_end_matches('/').to_owned();
    let reset_mails = config.mailer.clone().map(|mailer| {
        let resets = PasswordResets::of(pool.clone(), Arc::clone(&customers), projection.clone());
        ResetMails::start(resets, mailer, public_url.clone(), &mut tasks, shutdown)
    });
    let state = AppState {
        pool: pool.clone(),
        customers,
        tokens: Arc::new(Aggregates::new(repository)),
        projection,
        passwords: Passwords::new(config.hashers).map_err(|error| StartError::Unusable(error.to_string()))?,
        cookies: Cookies { secure: config.cookie_secure, ttl: config.session_ttl },
        lifetimes: Lifetimes { idle: config.session_ttl, absolute: config.session_absolute_ttl },
        log_ins: config.log_ins,
        public_url: public_url.into(),
        mailer: config.mailer,
        reset_mails,
        authority,
        access: Access::new(authenticator, config.internal_key),
    };
    let readiness = Readiness::default()
        .with("customers database", move || database::probe(pool.clone()))
        .with("customers log", move || written.clone().writable());
    Ok(Service { router: crate::router(state), readiness, tasks })
}
