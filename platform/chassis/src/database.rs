//! How a process reaches a database: the settings of its sessions, its pools, what cannot pass for a database, and the
//! migrations.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgPool, Row as _};

use crate::env::{ConfigError, Env};
use crate::service::StartError;

/// How long a service waits for a connection of its pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Of every connection that asks by keys. A plan that is made again each time fits the table as it is now, not as it was
/// when the connection was new; a table is never read as a whole for one of its rows; and what costs a millisecond is not
/// compiled first.
pub const SESSION_SETTINGS: [(&str, &str); 3] =
    [("plan_cache_mode", "force_custom_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// How `PgBouncer` refuses a setting that comes with the connection; PostgreSQL calls it another name.
const REFUSED_BY_PGBOUNCER: &str = "unsupported startup parameter";
/// SQLSTATE of a table, a column or a function that does not exist.
const UNDEFINED: [&str; 3] = ["42P01", "42703", "42883"];

/// Connections with [`SESSION_SETTINGS`], called `name` in `pg_stat_activity`.
#[must_use]
pub fn session(options: PgConnectOptions, name: &str) -> PgConnectOptions {
    options.application_name(name).options(SESSION_SETTINGS)
}

/// From `DAYBOOK_MIGRATE`: whether a service brings its database up to date when it starts.
///
/// # Errors
/// [`ConfigError`] for another value than `true` and `false`.
pub fn migrates_at_start(env: &Env) -> Result<bool, ConfigError> {
    let about = "Whether a start brings the database up to date. Set it to false where `daybook migrate` does that before.";
    env.key("DAYBOOK_MIGRATE", about).or(true)
}

/// At most `connections_max` connections with [`SESSION_SETTINGS`], called `name` in `pg_stat_activity`. It connects when it
/// is first used.
#[must_use]
pub fn pool(options: PgConnectOptions, name: &str, connections_max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(session(options, name))
}

/// [`pool`] for a database that a service cannot start without; `what` names it in errors.
///
/// # Errors
/// [`StartError`] if it cannot be reached, or is reached through a pooler.
pub async fn connect(
    what: &str,
    options: PgConnectOptions,
    name: &str,
    connections_max: u32,
) -> Result<PgPool, StartError> {
    let pool = pool(options, name, connections_max);
    refuse_pooler(&pool).await.map_err(|error| match error {
        SessionError::Pooled => StartError::Unusable(format!("{what} cannot be used: {error}")),
        SessionError::Database(error) => StartError::unreachable(what, error),
    })?;
    Ok(pool)
}

/// For `/readyz`: whether a database can be reached. Its error is logged here.
///
/// # Errors
/// The reason for `/readyz`, without what only operators may know.
pub async fn probe(pool: PgPool) -> Result<(), String> {
    pool.execute("SELECT 1").await.map(drop).map_err(|error| {
        let database = pool.connect_options();
        tracing::warn!(%error, database = database.get_database(), "a database cannot be reached");
        "cannot be reached".to_owned()
    })
}

/// Why a database cannot be used through this connection.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A pooler is in between that has no sessions to give.
    #[error(
        "it is reached through a pooler (such as PgBouncer), which shares one session between many clients; Daybook elects \
         its relays with locks of its session and listens on it, so name PostgreSQL itself"
    )]
    Pooled,
    /// The database cannot be reached, or refuses.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for SessionError {
    fn from(error: sqlx::Error) -> Self {
        if is_refused_by_a_pooler(&error) { Self::Pooled } else { Self::Database(error) }
    }
}

fn is_refused_by_a_pooler(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains(REFUSED_BY_PGBOUNCER))
}

/// Makes sure that a pool made with [`session`] has sessions of its own: a pooler refuses their settings, or forgets them.
///
/// # Errors
/// [`SessionError`].
pub async fn refuse_pooler(pool: &PgPool) -> Result<(), SessionError> {
    let mut connection = pool.acquire().await?;
    // Not a prepared statement, which some poolers lose before it is executed.
    let settings = connection.fetch_all(sqlx::raw_sql("SELECT name, setting FROM pg_settings")).await?;
    let is_set = |(name, value): (&str, &str)| {
        settings.iter().any(|row| {
            row.try_get::<String, _>(0).is_ok_and(|found| found == name)
                && row.try_get::<String, _>(1).is_ok_and(|found| found == value)
        })
    };
    if SESSION_SETTINGS.into_iter().all(is_set) { Ok(()) } else { Err(SessionError::Pooled) }
}

/// Why a database cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It has seen migrations that this program does not have.
    #[error(
        "a newer version of Daybook has changed it (its migration {migration} is not known here); install that version, or \
         restore a backup from before. An older version can go on beside a newer one with DAYBOOK_MIGRATE=false"
    )]
    Newer {
        /// The number of the first one.
        migration: i64,
    },
    /// One of its migrations is not what this program has under that number.
    #[error(
        "its migration {migration} is another one than this program's: it was changed by hand, or by a version that was \
         never released"
    )]
    Other {
        /// The number.
        migration: i64,
    },
    /// Anything else.
    #[error(transparent)]
    Failed(MigrateError),
}

/// Brings a database up to date.
///
/// # Errors
/// [`MigrationError`].
pub async fn migrate(migrator: &Migrator, pool: &PgPool) -> Result<(), MigrationError> {
    migrator.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(migration) => MigrationError::Newer { migration },
        MigrateError::VersionMismatch(migration) => MigrationError::Other { migration },
        other => MigrationError::Failed(other),
    })
}

/// [`migrate`] as a service does when it starts; `what` names the database in errors.
///
/// # Errors
/// [`StartError::Unusable`].
pub async fn migrate_at_start(what: &str, migrator: &Migrator, pool: &PgPool) -> Result<(), StartError> {
    migrate(migrator, pool)
        .await
        .map_err(|error| StartError::Unusable(format!("{what} cannot be brought up to date: {error}")))
}

/// What to do about a statement that failed, to follow the sentence about it; empty if nothing is known to help.
#[must_use]
pub fn hint(error: &sqlx::Error) -> &'static str {
    if is_unmigrated(error) { " Run `daybook migrate` first." } else { "" }
}

/// Whether a statement failed because the database lacks what a migration makes.
#[must_use]
pub fn is_unmigrated(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| UNDEFINED.contains(&&*code))
}

#[cfg(test)]
mod tests;
