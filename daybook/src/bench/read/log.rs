use std::time::Instant;

use domain::Partitions;
use domain::activity::ActivityEvent;
use embedded_postgres::Server;
use event_store::EventLog;
use futures::TryStreamExt;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use super::sample::Sample;
use super::storage;
use crate::bench::database_failure;
use crate::bench::house::databases;
use crate::bench::ingest::PARTITIONS;
use crate::databases::Databases;
use crate::failure::Failure;

/// A log that is filled, and databases for what is made of it.
pub(super) struct FilledLog {
    pub(super) log: EventLog,
    /// The database of reports, with empty tables.
    pub(super) reports: PgPool,
    pub(super) events: usize,
    pub(super) databases: Databases,
}

impl FilledLog {
    pub(super) async fn new(
        server: &Server,
        name: &str,
        sample: Sample,
        events: usize,
    ) -> Result<Self, Failure> {
        let databases = databases(server, name).await?;
        let connect = async |url: &str| PgPool::connect(url).await.map_err(database_failure);
        let (pool, reports) = (connect(&databases.activities).await?, connect(&databases.reports).await?);
        let migrated = |error: sqlx::migrate::MigrateError| Failure::Failed(error.to_string());
        command_service::MIGRATOR.run(&pool).await.map_err(migrated)?;
        projection_service::MIGRATOR.run(&reports).await.map_err(migrated)?;
        let log = EventLog::open(pool, Partitions::new(PARTITIONS).unwrap_or(Partitions::ONE)).await?;
        sample.append(log.pool(), log.partitions(), events).await?;
        // What the server would do later, in the middle of what is measured.
        sqlx::query("VACUUM (ANALYZE) events").execute(log.pool()).await.map_err(database_failure)?;
        storage::checkpoint(server).await?;
        Ok(Self { log, reports, events, databases })
    }

    pub(super) async fn drop(self, server: &Server) -> Result<(), Failure> {
        self.log.pool().close().await;
        self.reports.close().await;
        storage::drop_databases(server, &self.databases).await
    }

    /// Events a second that PostgreSQL itself sends.
    pub(super) async fn copy(&self) -> Result<f64, Failure> {
        let began = Instant::now();
        let statement = "COPY events TO STDOUT";
        let mut rows = self.log.pool().copy_out_raw(statement).await.map_err(database_failure)?;
        while rows.try_next().await.map_err(database_failure)?.is_some() {}
        Ok(self.events as f64 / began.elapsed().as_secs_f64())
    }

    /// Events a second that are read in bulk and decoded, and nothing else.
    pub(super) async fn read_and_decode(&self) -> Result<f64, Failure> {
        let (began, mut decoded) = (Instant::now(), 0_usize);
        for head in self.log.heads().await? {
            let mut reader = self.log.read_bulk(head.partition, 0, head.position).await?;
            while let Some(page) = reader.next().await? {
                for event in page.events()? {
                    let activity: ActivityEvent =
                        event.decode().map_err(|error| Failure::Failed(error.to_string()))?;
                    decoded += usize::from(matches!(activity, ActivityEvent::ActivityRecorded(_)));
                }
            }
        }
        Ok(decoded as f64 / began.elapsed().as_secs_f64())
    }
}
