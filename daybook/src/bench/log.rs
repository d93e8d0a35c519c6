//! `append_events` alone, beside the fastest way to store the same rows.

use std::time::Instant;

use domain::{Partition, Partitions};
use event_store::{Append, EventLog, append_events};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use uuid::Uuid;

use super::rows::{BATCH, appends, customer_in};
use super::{database_failure, median};
use crate::failure::Failure;

const CONNECTIONS: u16 = 2;
const BATCHES: usize = 100;
const ROUNDS: usize = 3;

/// Rows a second: what `append_events` reaches, and the limit.
pub(super) struct Outcome {
    pub(super) append: f64,
    pub(super) limit: f64,
}

/// How rows are stored.
#[derive(Clone, Copy)]
enum Way {
    /// `INSERT … SELECT FROM unnest(…)`, which knows neither heads nor duplicates.
    Limit,
    /// As the appenders do.
    Append,
}

/// The two in turn, so that both meet the same machine; the median of the rounds counts.
pub(super) async fn measure(log: &EventLog, options: &PgConnectOptions) -> Result<Outcome, Failure> {
    let mut admin = options.connect().await.map_err(database_failure)?;
    // The same columns, keys and indexes; neither triggers nor heads.
    let table = "DROP TABLE IF EXISTS bench_limit; CREATE TABLE bench_limit (LIKE events INCLUDING ALL)";
    admin.execute(table).await.map_err(database_failure)?;
    let (mut limits, mut rates) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        limits.push(once(log.partitions(), options, Way::Limit, round).await?);
        rates.push(once(log.partitions(), options, Way::Append, round).await?);
    }
    admin.execute("DROP TABLE bench_limit").await.map_err(database_failure)?;
    Ok(Outcome { append: median(&mut rates), limit: median(&mut limits) })
}

/// Stores batches over two connections at once, each with a partition of its own, and returns rows a second.
async fn once(
    partitions: Partitions,
    options: &PgConnectOptions,
    way: Way,
    round: usize,
) -> Result<f64, Failure> {
    let mut writers = Vec::new();
    for n in 0..CONNECTIONS {
        let customer = customer_in(Partition(n % partitions.count()), partitions);
        let batches: Vec<_> =
            (0..BATCHES).map(|batch| appends(customer, partitions, batch)).collect::<Result<_, _>>()?;
        writers.push((batches, options.connect().await.map_err(database_failure)?));
    }
    let began = Instant::now();
    let tasks =
        writers.into_iter().map(|(batches, connection)| tokio::spawn(write(way, batches, connection, round)));
    for outcome in futures::future::join_all(tasks).await {
        let outcome = outcome.map_err(|error| Failure::Failed(error.to_string()))?;
        outcome.map_err(database_failure)?;
    }
    Ok(f64::from(CONNECTIONS) * (BATCHES * BATCH) as f64 / began.elapsed().as_secs_f64())
}

async fn write(
    way: Way,
    batches: Vec<Vec<Append>>,
    mut connection: PgConnection,
    round: usize,
) -> Result<(), sqlx::Error> {
    for (n, batch) in (round * BATCHES..).zip(&batches) {
        match way {
            Way::Limit => insert(&mut connection, batch, (n * BATCH) as i64).await?,
            Way::Append => {
                let batch: Vec<&Append> = batch.iter().collect();
                append_events(&mut connection, &batch).await?;
            }
        }
    }
    connection.close().await
}

/// The limit. Positions are given, since nothing numbers the rows here.
async fn insert(connection: &mut PgConnection, batch: &[Append], after: i64) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Append) -> &str| batch.iter().map(of).collect::<Vec<_>>();
    let partition: Vec<i32> = batch.iter().map(|append| i32::from(append.partition.0)).collect();
    let position: Vec<i64> = (after + 1..).take(batch.len()).collect();
    let sequence: Vec<i64> = batch.iter().map(|append| append.sequence).collect();
    let event_id: Vec<Uuid> = batch.iter().map(|append| append.events[0].event_id).collect();
    let customer_id: Vec<Uuid> = batch.iter().map(|append| append.customer_id.0).collect();
    sqlx::query(
        "INSERT INTO bench_limit (partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type,
                                  aggregate_id, event_type, event_version, payload, metadata)
         SELECT e.partition, e.position, e.sequence, clock_timestamp(), e.event_id, e.customer_id, e.aggregate_type,
                e.aggregate_id, e.event_type, e.event_version, e.payload::json, e.metadata::json
           FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
                       $8::text[], $9::text[], $10::text[], $11::text[])
                AS e (partition, position, sequence, event_id, customer_id, aggregate_type, aggregate_id, event_type,
                      event_version, payload, metadata)",
    )
    .bind(partition)
    .bind(position)
    .bind(sequence)
    .bind(event_id)
    .bind(customer_id)
    .bind(column(|append| append.aggregate_type))
    .bind(column(|append| &append.aggregate_id))
    .bind(column(|append| &append.events[0].event_type))
    .bind(column(|append| &append.events[0].event_version))
    .bind(column(|append| &append.events[0].payload))
    .bind(column(|append| &append.events[0].metadata))
    .execute(connection)
    .await?;
    Ok(())
}
