//! A house to measure in: every service on databases of its own, behind a public door on a free port.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chassis::Env;
use embedded_postgres::Server;
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database_failure;
use crate::composition::{Composition, decided};
use crate::databases::Databases;
use crate::failure::Failure;

const END_LIMIT: Duration = Duration::from_secs(10);
/// Longer than any measurement: what is ingested is folded after it.
const FOLDS_LATER_MS: &str = "3600000";

/// When reports folds what is ingested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folds {
    /// As it does by default.
    AtOnce,
    /// After the measurement.
    Later,
}

/// Requests a second that no machine reaches.
const UNREACHED_PER_S: &str = "100000000";

/// Settings that lift rate limits: on a fast machine the load is more than one caller may send.
pub(super) fn unlimited_rates() -> impl Iterator<Item = (String, String)> {
    ["DAYBOOK_GATEWAY_CREDENTIAL_REQUESTS_PER_S", "DAYBOOK_GATEWAY_CUSTOMER_REQUESTS_PER_S"]
        .into_iter()
        .map(|key| (key.to_owned(), UNREACHED_PER_S.to_owned()))
}

/// A running house.
pub(super) struct House {
    pub(super) address: SocketAddr,
    pub(super) databases: Databases,
    composition: Composition,
    door: JoinHandle<()>,
    closing: CancellationToken,
    shutdown: CancellationToken,
}

impl House {
    /// Starts one on new databases, whose names begin with `name`.
    pub(super) async fn start(server: &Server, name: &str, folds: Folds) -> Result<Self, Failure> {
        let delay =
            (folds == Folds::Later).then(|| ("DAYBOOK_FOLD_DELAY_MS".to_owned(), FOLDS_LATER_MS.to_owned()));
        Self::start_with(server, name, delay).await
    }

    /// The same with further settings.
    pub(super) async fn start_with(
        server: &Server,
        name: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        Self::on(&databases(server, name).await?, settings).await
    }

    /// Starts one on databases that exist.
    pub(super) async fn on(
        databases: &Databases,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        // Not the process' environment: a benchmark measures the defaults.
        let env = Env::from_pairs(decided(databases).chain(unlimited_rates()).chain(settings));
        let (closing, shutdown) = (CancellationToken::new(), CancellationToken::new());
        let composition = Composition::start(&env, closing.clone(), shutdown.clone()).await?;
        let listener = chassis::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let address = listener.local_addr().map_err(Failure::io("cannot find the address of a listener"))?;
        let door = tokio::spawn(chassis::serve(listener, composition.door.clone(), closing.clone()));
        Ok(Self { address, databases: databases.clone(), composition, door, closing, shutdown })
    }

    pub(super) async fn stop(self) {
        self.closing.cancel();
        // It ends within its own limits.
        let _ = self.door.await;
        self.shutdown.cancel();
        self.composition.ended(END_LIMIT).await;
    }
}

/// New databases, whose names begin with `name`.
pub(super) async fn databases(server: &Server, name: &str) -> Result<Databases, Failure> {
    let mut urls = Vec::new();
    for service in embedded_postgres::DATABASES {
        urls.push(new_database(server, &format!("{name}_{service}")).await?);
    }
    let urls = urls.try_into().map_err(|_| Failure::Failed("three services".into()))?;
    let [activities, customers, reports] = urls;
    Ok(Databases { activities, customers, reports })
}

/// Makes a database, owned by the role that owns the services' own, and returns its URL.
pub(super) async fn new_database(server: &Server, name: &str) -> Result<String, Failure> {
    let mut admin = PgConnection::connect(&server.admin_url()).await.map_err(database_failure)?;
    let statement = format!("CREATE DATABASE {name} OWNER daybook");
    admin.execute(statement.as_str()).await.map_err(database_failure)?;
    admin.close().await.map_err(database_failure)?;
    Ok(server.database_url("activities").replace("daybook_activities", name))
}
