use std::time::Duration;

use chassis::database::SessionError;
use embedded_postgres::{DATABASES, Server};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use crate::failure::Failure;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// SQLSTATE of a database that another program has just made.
const EXISTS: [&str; 2] = ["42P04", "23505"];

/// The URLs of the services' databases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Databases {
    /// The log of activities.
    pub(crate) activities: String,
    /// Customers, with a log of their own.
    pub(crate) customers: String,
    /// The read models.
    pub(crate) reports: String,
}

impl Databases {
    /// Each from its service's name.
    pub(crate) fn named(url: impl Fn(&str) -> String) -> Self {
        Self { activities: url("activities"), customers: url("customers"), reports: url("reports") }
    }

    /// Those of the embedded server.
    pub(crate) fn of_embedded(server: &Server) -> Self {
        Self::named(|service| server.database_url(service))
    }

    /// Those on a server that exists; makes the ones that are missing.
    ///
    /// # Errors
    /// [`Failure::Missing`] if it cannot be reached or lets us make none, [`Failure::Usage`] if it is no URL.
    pub(crate) async fn on_server(url: &str) -> Result<Self, Failure> {
        let server: PgConnectOptions =
            url.parse().map_err(|error| Failure::Usage(format!("--database-url cannot be used: {error}")))?;
        // As `psql` does, a URL without a database would ask for one named like the user.
        let server = match server.get_database() {
            Some(_) => server,
            None => server.database("postgres"),
        };
        let place = format!("the PostgreSQL of --database-url ({}:{})", server.get_host(), server.get_port());
        make_missing(&server, &place).await?;
        Ok(Self::named(|service| {
            server.clone().database(&format!("daybook_{service}")).to_url_lossy().to_string()
        }))
    }
}

async fn make_missing(server: &PgConnectOptions, place: &str) -> Result<(), Failure> {
    let making = async {
        let mut admin = server.connect().await.map_err(|error| Failure::missing(place, error))?;
        let existing: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database")
            .fetch_all(&mut admin)
            .await
            .map_err(|error| Failure::missing(place, error))?;
        for database in DATABASES.iter().filter(|name| !existing.iter().any(|found| found == *name)) {
            make(&mut admin, database).await.map_err(|error| {
                let action = format!("{place} does not let us make the database {database}");
                Failure::Missing(format!(
                    "{action}: {error}. Name a role that may create databases, or make it first"
                ))
            })?;
        }
        admin.close().await.map_err(|error| Failure::missing(place, error))
    };
    let limit = CONNECT_LIMIT.as_secs();
    tokio::time::timeout(CONNECT_LIMIT, making)
        .await
        .unwrap_or_else(|_| Err(Failure::missing(place, format_args!("no answer within {limit} s"))))
}

async fn make(admin: &mut PgConnection, database: &str) -> sqlx::Result<()> {
    let made = sqlx::query(&format!("CREATE DATABASE {database}")).execute(admin).await;
    match made {
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| EXISTS.contains(&&*code)) => {
            Ok(())
        }
        made => made.map(|_| ()),
    }
}

/// Connections of an operator's command to the database of a service.
///
/// # Errors
/// [`Failure::Missing`], which names the service.
pub(crate) async fn connect(service: &str, url: &str, connections_max: u32) -> Result<PgPool, Failure> {
    let what = format!("the database of {service}");
    let options: PgConnectOptions =
        url.parse().map_err(|error| Failure::Usage(format!("the URL of {what} cannot be used: {error}")))?;
    let options = chassis::database::session(options, "daybook-operator");
    // A pool would try again and again, and then say that it has waited; one connection says why it fails.
    let probing = async { options.connect().await?.close().await };
    let limit = CONNECT_LIMIT.as_secs();
    let unreachable = format!("{what} is unreachable");
    match tokio::time::timeout(CONNECT_LIMIT, probing).await {
        Ok(probed) => probed.map_err(|error| Failure::missing(unreachable, SessionError::from(error)))?,
        Err(_) => return Err(Failure::missing(unreachable, format_args!("no answer within {limit} s"))),
    }
    let pool = PgPoolOptions::new().max_connections(connections_max).acquire_timeout(ACQUIRE_TIMEOUT);
    let pool = pool.connect_lazy_with(options);
    chassis::database::refuse_pooler(&pool)
        .await
        .map_err(|error| Failure::Missing(format!("{what} cannot be used: {error}")))?;
    Ok(pool)
}
