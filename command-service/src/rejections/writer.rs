use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{KEPT_MAX, Noted};

/// How many are stored with one statement.
const BATCH_MAX: usize = 1_000;
/// A pause after each statement: however many messages are bad, the database has few of these to do.
const PAUSE: Duration = Duration::from_millis(200);

/// Stores what is noted, until `shutdown` and nothing waits.
pub(super) async fn run(pool: PgPool, mut waiting: mpsc::Receiver<Noted>, shutdown: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    loop {
        tokio::select! {
            _ = waiting.recv_many(&mut batch, BATCH_MAX) => {}
            () = shutdown.cancelled() => {
                while let Ok(noted) = waiting.try_recv() {
                    batch.push(noted);
                }
            }
        }
        if let Err(error) = store(&pool, &batch).await {
            tracing::warn!(%error, count = batch.len(), "rejections are not listed");
            metrics::counter!("daybook_ingest_rejections_unlisted_total").increment(batch.len() as u64);
        }
        batch.clear();
        if shutdown.is_cancelled() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Adds rows, and deletes those of the same customers that are too many.
async fn store(pool: &PgPool, batch: &[Noted]) -> Result<(), sqlx::Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let column = |of: &dyn Fn(&Noted) -> Option<String>| batch.iter().map(of).collect::<Vec<_>>();
    let customers: Vec<Uuid> = batch.iter().map(|noted| noted.source.customer_id.0).collect();
    let received: Vec<_> = batch.iter().map(|noted| noted.source.received_at).collect();
    let protocols: Vec<String> = batch.iter().map(|noted| noted.source.protocol.to_owned()).collect();
    let subjects: Vec<String> = batch.iter().map(|noted| noted.source.subject.to_string()).collect();
    let requests = column(&|noted| noted.source.request_id.clone());
    let indexes: Vec<Option<i32>> =
        batch.iter().map(|noted| noted.rejection.index.and_then(|index| i32::try_from(index).ok())).collect();
    let ids = column(&|noted| noted.rejection.activity_id.clone());
    let types = column(&|noted| noted.rejection.activity_type.clone());
    let errors: Vec<serde_json::Value> =
        batch.iter().map(|noted| serde_json::to_value(&noted.rejection.errors).unwrap_or_default()).collect();
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "INSERT INTO ingest_rejections
                (customer_id, received_at, protocol, subject, request_id, index, activity_id, activity_type, errors)
         SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::int[],
                              $7::text[], $8::text[], $9::jsonb[])",
        &customers,
        &received,
        &protocols,
        &subjects,
        &requests as &[Option<String>],
        &indexes as &[Option<i32>],
        &ids as &[Option<String>],
        &types as &[Option<String>],
        &errors,
    )
    .execute(&mut *transaction)
    .await?;
    let counts = customers.iter().fold(HashMap::new(), |mut counts, customer| {
        *counts.entry(*customer).or_insert(0) += 1;
        counts
    });
    for customer in counts.into_keys() {
        sqlx::query!(
            "DELETE FROM ingest_rejections
              WHERE customer_id = $1
                AND id <= (SELECT id FROM ingest_rejections WHERE customer_id = $1
                            ORDER BY id DESC OFFSET $2 LIMIT 1)",
            customer,
            KEPT_MAX as i64,
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}
