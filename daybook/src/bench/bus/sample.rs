use domain::Partitions;
use embedded_postgres::Server;
use event_bus::Feed;
use event_bus::pulsar::encode;
use event_store::{Append, EventLog, PAGE_EVENTS_MAX, append_events};
use sqlx::{Connection, Executor, PgConnection, PgPool};

use super::super::database_failure;
use super::super::house::new_database;
use super::super::ingest::{PARTITIONS, say};
use super::super::rows::{BATCH, appends, customer_in};
use crate::failure::Failure;

/// A log to be carried.
pub(super) struct Sample {
    pub(super) url: String,
    pub(super) log: EventLog,
    /// How many events it has.
    pub(super) events: usize,
}

impl Sample {
    /// A log of its own, in which every partition has as many events as every other.
    pub(super) async fn record(server: &Server, events: usize) -> Result<Self, Failure> {
        say("the events that are carried");
        let url = new_database(server, "carried").await?;
        let pool = PgPool::connect(&url).await.map_err(database_failure)?;
        command_service::MIGRATOR.run(&pool).await.map_err(|error| Failure::Failed(error.to_string()))?;
        let log = EventLog::open(pool, Partitions::new(PARTITIONS).unwrap_or(Partitions::ONE)).await?;
        let mut connection = PgConnection::connect(&url).await.map_err(database_failure)?;
        let batches = events.div_ceil(BATCH * usize::from(PARTITIONS));
        for partition in log.partitions().all() {
            let customer = customer_in(partition, log.partitions());
            for batch in 0..batches {
                let batch = appends(customer, log.partitions(), batch)?;
                let batch: Vec<&Append> = batch.iter().collect();
                append_events(&mut connection, &batch).await.map_err(database_failure)?;
            }
        }
        connection.execute("VACUUM ANALYZE").await.map_err(database_failure)?;
        connection.close().await.map_err(database_failure)?;
        Ok(Self { url, log, events: batches * BATCH * usize::from(PARTITIONS) })
    }

    /// As if nothing had been relayed.
    pub(super) async fn rewind(&self) -> Result<(), Failure> {
        self.log
            .pool()
            .execute("UPDATE relay_position SET position = 0")
            .await
            .map(|_| ())
            .map_err(database_failure)
    }

    /// What the relay would publish.
    pub(super) async fn messages(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let mut messages = Vec::with_capacity(self.events);
        for partition in self.log.partitions().all() {
            let mut after = 0;
            loop {
                let page = self.log.read(partition, after, PAGE_EVENTS_MAX).await?;
                let Some(last) = page.last() else { break };
                after = last.position;
                for event in &page {
                    let message = encode(Feed::Activities, event);
                    messages.push(message.map_err(|error| Failure::Failed(error.to_string()))?);
                }
            }
        }
        Ok(messages)
    }
}
