use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chassis::Env;
use embedded_postgres::{Options, Server};
use futures::future::join_all;
use sqlx::PgPool;

use crate::databases::{self, Databases};
use crate::failure::Failure;
use crate::folder::{self, Addresses, DataFolder};
use crate::signals::{stop_signal, unless_stopped};

const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// By what the operators' commands find the system.
#[derive(clap::Args)]
pub(crate) struct SystemArguments {
    /// The data folder of the system, running or not
    ///
    /// Without it, the databases that the services' environment names (`DAYBOOK_ACTIVITIES_DATABASE_URL`,
    /// `DAYBOOK_CUSTOMERS_DATABASE_URL`, `DAYBOOK_REPORTS_DATABASE_URL`, also in .env files), and without those the
    /// folder .daybook. If nothing runs there, its database is started for as long as the command needs it.
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

/// The database of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// The log of activities.
    Activities,
    /// That of customers, with its own log.
    Customers,
    /// The read models.
    Reports,
}

impl Database {
    pub(crate) const ALL: [Self; 3] = [Self::Activities, Self::Customers, Self::Reports];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Activities => "activities",
            Self::Customers => "customers",
            Self::Reports => "reports",
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Activities => "command-service",
            Self::Customers => "customers",
            Self::Reports => "projection-service",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Activities => "DAYBOOK_ACTIVITIES_DATABASE_URL",
            Self::Customers => "DAYBOOK_CUSTOMERS_DATABASE_URL",
            Self::Reports => "DAYBOOK_REPORTS_DATABASE_URL",
        }
    }
}

fn public_url(env: &Env) -> Option<String> {
    env.get("DAYBOOK_PUBLIC_URL").filter(|url| !url.is_empty()).map(str::to_owned)
}

/// A system that an operator's command works on.
pub(crate) struct System {
    activities: Option<String>,
    customers: Option<String>,
    reports: Option<String>,
    /// Where people find its public door, if that is known.
    public_url: Option<String>,
    /// Where it was found, in words.
    place: String,
    /// Runs for as long as the command needs it.
    server: Option<Server>,
    /// To be closed before it stops.
    pools: Mutex<Vec<PgPool>>,
}

impl System {
    /// Finds the system, does `work` on it, and stops what was started for that, however it ends; Ctrl-C ends it.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is no system, [`Failure::Interrupted`], or what `work` says.
    pub(crate) async fn during<T>(
        arguments: &SystemArguments,
        work: impl AsyncFnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let stop = stop_signal()?;
        let system = unless_stopped(Self::find(arguments), &stop).await?;
        let outcome = unless_stopped(work(&system), &stop).await;
        let closed = system.close().await;
        let result = outcome?;
        closed.map(|()| result)
    }

    async fn find(arguments: &SystemArguments) -> Result<Self, Failure> {
        match &arguments.data_dir {
            Some(dir) => Self::in_folder(&DataFolder::at(dir)).await,
            None => match Self::in_environment()? {
                Some(system) => Ok(system),
                None => Self::in_folder(&DataFolder::at(folder::DEFAULT)).await,
            },
        }
    }

    fn in_environment() -> Result<Option<Self>, Failure> {
        let url = |database: Database| -> Result<Option<String>, Failure> {
            Ok(Env::load(database.folder())?.get(database.key()).map(str::to_owned))
        };
        let [activities, customers, reports] = Database::ALL.map(url);
        let (activities, customers, reports) = (activities?, customers?, reports?);
        let is_there = activities.is_some() || customers.is_some() || reports.is_some();
        let place = "the services' environment".to_owned();
        let public_url = public_url(&Env::load(Database::Customers.folder())?);
        Ok(is_there.then_some(Self {
            activities,
            customers,
            reports,
            public_url,
            place,
            server: None,
            pools: Mutex::default(),
        }))
    }

    async fn in_folder(folder: &DataFolder) -> Result<Self, Failure> {
        let running = Addresses::of_running(folder)?;
        if let Some(addresses) = &running {
            // The number of a killed program may be another one's by now, so the database must be reachable.
            let probe = databases::connect("activities", &addresses.databases.activities, 1).await;
            if let Ok(pool) = probe {
                pool.close().await;
                let place = format!("{}, running as process {}", folder.shown(), addresses.pid);
                let found = Self::of(addresses.databases.clone(), place, None)?;
                let public_url = found.public_url.clone().or_else(|| addresses.url.clone());
                return Ok(Self { public_url, ..found });
            }
        }
        if !embedded_postgres::exists(folder.path())? {
            return Err(Failure::Missing(format!(
                "there is no database in {}: start a system with `daybook up`, name its folder with --data-dir, or set \
                 DAYBOOK_ACTIVITIES_DATABASE_URL and its kin",
                folder.path().display()
            )));
        }
        let server = match (Server::start(Options::new(folder.path())).await, running) {
            (Err(embedded_postgres::Error::AlreadyRunning { pid, .. }), None) => {
                let place = folder.path().display();
                return Err(Failure::Missing(format!(
                    "a daybook is starting or stopping in {place} (process {pid}); try again in a moment"
                )));
            }
            (Err(embedded_postgres::Error::AlreadyRunning { .. }), Some(addresses)) => {
                let what =
                    format!("the system in {} runs (process {})", folder.path().display(), addresses.pid);
                return Err(Failure::Missing(format!(
                    "{what}, and its database cannot be reached; try again"
                )));
            }
            (started, _) => started?,
        };
        let databases = Databases::of_embedded(&server);
        Self::of(databases, format!("{}, stopped", folder.shown()), Some(server))
    }

    fn of(databases: Databases, place: String, server: Option<Server>) -> Result<Self, Failure> {
        let Databases { activities, customers, reports } = databases;
        Ok(Self {
            activities: Some(activities),
            customers: Some(customers),
            reports: Some(reports),
            public_url: public_url(&Env::load(Database::Customers.folder())?),
            place,
            server,
            pools: Mutex::default(),
        })
    }

    /// Where people find its public door, without the port of a program that has stopped.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// Where it was found, in words.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The URL of a service's database, if it is known.
    pub(crate) fn url(&self, database: Database) -> Option<&str> {
        match database {
            Database::Activities => self.activities.as_deref(),
            Database::Customers => self.customers.as_deref(),
            Database::Reports => self.reports.as_deref(),
        }
    }

    /// Connections to a service's database.
    ///
    /// # Errors
    /// [`Failure::Missing`] if it is unknown or unreachable.
    pub(crate) async fn connect(&self, database: Database, connections_max: u32) -> Result<PgPool, Failure> {
        let unknown = || {
            let service = database.name();
            Failure::Missing(format!(
                "the database of {service} is not known; set {} or use --data-dir",
                database.key()
            ))
        };
        let url = self.url(database).ok_or_else(unknown)?;
        let pool = databases::connect(database.name(), url, connections_max).await?;
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).push(pool.clone());
        Ok(pool)
    }

    async fn close(self) -> Result<(), Failure> {
        let pools = self.pools.into_inner().unwrap_or_else(PoisonError::into_inner);
        let closing = join_all(pools.iter().map(PgPool::close));
        // A statement that does not come back is broken off with its server.
        let _ = tokio::time::timeout(CLOSE_LIMIT, closing).await;
        match self.server {
            Some(server) => Ok(server.stop().await?),
            None => Ok(()),
        }
    }
}
