//! Beginning transactions. With `sqlx` alone, a caller who goes away while `BEGIN` is on its way gives the pool a connection
//! whose transaction nobody knows of: what is written through it later is never committed.

use sqlx::{PgPool, Postgres, Transaction};

/// Begins a transaction. Cancel safe.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    begin_with(pool, "BEGIN").await
}

/// Begins a transaction that sees one state and changes nothing. Cancel safe.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn begin_snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    begin_with(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

/// In a task of its own, which ends what it has begun.
async fn begin_with(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    // It does not panic; the runtime may end while it is under way.
    begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use scratch_database::ScratchDatabase;
    use sqlx::postgres::PgPoolOptions;

    use super::*;

    async fn now(pool: &PgPool) -> DateTime<Utc> {
        sqlx::query_scalar("SELECT now()").fetch_one(pool).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_caller_who_goes_away_leaves_no_transaction_behind() {
        let database = ScratchDatabase::empty().await;
        let pool = PgPoolOptions::new().max_connections(1).connect_with(database.options()).await.unwrap();
        for polls in 0..40 {
            {
                let mut beginning = pin!(begin(&pool));
                for _ in 0..polls {
                    let polled =
                        std::future::poll_fn(|context| Poll::Ready(beginning.as_mut().poll(context))).await;
                    if polled.is_ready() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_micros(50)).await;
                }
            }
            // Within one transaction, now() is always the same.
            assert_ne!(now(&pool).await, now(&pool).await, "given up after {polls} polls");
        }
    }
}
