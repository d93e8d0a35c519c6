//! A database of its own for one test, on the server at `DAYBOOK_TEST_DATABASE_URL`.
//!
//! Invariant: a test that needs a database and has no server fails; it is never skipped.
#![expect(clippy::expect_used, reason = "only tests use this crate, and they end by panicking")]

use std::path::Path;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgPool};
use uuid::Uuid;

/// Where the tests' server is: an administrator's URL.
const SERVER_KEY: &str = "DAYBOOK_TEST_DATABASE_URL";

/// A database that lives as long as this value.
#[derive(Debug)]
pub struct ScratchDatabase {
    name: String,
    server: PgConnectOptions,
    pool: PgPool,
}

impl ScratchDatabase {
    /// An empty database.
    ///
    /// # Panics
    /// If there is no server.
    pub async fn empty() -> Self {
        let url = std::env::var(SERVER_KEY).unwrap_or_else(|_| {
            panic!("{SERVER_KEY} is not set; `cargo xtask test` starts a server and sets it, or name one yourself")
        });
        let server =
            PgConnectOptions::from_str(&url).expect("DAYBOOK_TEST_DATABASE_URL must be a PostgreSQL URL");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut admin = server.connect().await.expect("the tests' PostgreSQL must be reachable");
        admin.execute(format!("CREATE DATABASE {name}").as_str()).await.expect("a scratch database");
        let options = server.clone().database(&name);
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .connect_with(options)
            .await
            .expect("a scratch connection");
        Self { name, server, pool }
    }

    /// A database with the tables of a service: `activities`, `customers` or `reports`.
    ///
    /// # Panics
    /// If there is no server, or a migration fails.
    pub async fn migrated(service: &str) -> Self {
        let database = Self::empty().await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(service);
        let migrator = sqlx::migrate::Migrator::new(folder).await.expect("migrations");
        migrator.run(&database.pool).await.expect("the migrations must run");
        database
    }

    /// Connections to it.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// How to connect to it.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        let (name, server) = (self.name.clone(), self.server.clone());
        // A thread of its own: this may run inside a runtime that is ending.
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let Ok(mut admin) = server.connect().await else { return };
                // Left behind at worst; the tests' server is temporary.
                let _ = admin.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str()).await;
            });
        });
        let _ = dropping.join();
    }
}
