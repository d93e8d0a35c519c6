//! The durable delayed jobs: at most one for each partition, deleted when what was published is folded.

use std::time::Duration;

use chassis::Backoff;
use chrono::{DateTime, Utc};
use domain::Partition;
use event_bus::Published;
use sqlx::{PgConnection, PgPool};

use crate::store::{NAME, VERSION};

/// How long a failed job waits before it is tried again: doubled each time, up to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LONGEST: Duration = Duration::from_secs(30);
const BACKOFF: Backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
const ERROR_CHARS_MAX: usize = 1_000;

/// A job that has not run yet, or that failed and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingJob {
    /// The number of the partition that it folds.
    pub partition: u16,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// How far the partition was known to be published when the job was made or last failed.
    pub published_position: i64,
    /// How often it has failed.
    pub attempts: i32,
    /// Why it last failed.
    pub last_error: Option<String>,
}

/// All pending jobs, in the order in which they are due.
///
/// # Errors
/// An error if the database fails.
pub async fn jobs(pool: &PgPool) -> Result<Vec<PendingJob>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT partition, run_at, published_position, attempts, last_error FROM jobs ORDER BY run_at, partition"
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| PendingJob {
            partition: row.partition as u16,
            run_at: row.run_at,
            published_position: row.published_position,
            attempts: row.attempts,
            last_error: row.last_error,
        })
        .collect())
}

/// How long to wait after this number of failures.
pub(crate) fn retry_in(attempts: i32) -> Duration {
    BACKOFF.after(attempts.max(1).cast_unsigned())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_millis() as f64
}

/// Creates a job for each of these partitions that has none, unless the live generation has already folded the position.
/// A job that waits for another attempt becomes due after `delay` if something new was published. Returns whether a job was
/// created or changed.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn schedule(
    pool: &PgPool,
    published: &[Published],
    delay: Duration,
) -> Result<bool, sqlx::Error> {
    let partitions: Vec<i32> = published.iter().map(|published| i32::from(published.partition.0)).collect();
    let positions: Vec<i64> = published.iter().map(|published| published.position).collect();
    // A running job is locked, and is not waited for: at its end it looks for newer positions itself.
    let changed = sqlx::query_scalar!(
        r#"WITH news AS (
               SELECT k.partition, k.position
                 FROM unnest($1::int[], $2::bigint[]) AS k (partition, position)
                WHERE EXISTS (SELECT 1
                                FROM projections p
                                JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
                               WHERE p.name = $3 AND p.version = $4
                                 AND c.partition = k.partition AND c.position < k.position)
           ), made AS (
               INSERT INTO jobs (partition, run_at, published_position)
               SELECT n.partition, clock_timestamp() + $5 * interval '1 millisecond', n.position FROM news n
               ON CONFLICT (partition) DO NOTHING
               RETURNING 1
           ), late AS (
               SELECT j.partition, n.position
                 FROM jobs j JOIN news n USING (partition)
                WHERE n.position > j.published_position
                  AND j.run_at > clock_timestamp() + $5 * interval '1 millisecond'
                  FOR UPDATE OF j SKIP LOCKED
           ), drawn AS (
               UPDATE jobs j
                  SET run_at = clock_timestamp() + $5 * interval '1 millisecond', published_position = l.position
                 FROM late l WHERE j.partition = l.partition
               RETURNING 1
           )
           SELECT (SELECT count(*) FROM made) + (SELECT count(*) FROM drawn) AS "changed!""#,
        &partitions,
        &positions,
        NAME,
        VERSION,
        milliseconds(delay),
    )
    .fetch_one(pool)
    .await?;
    Ok(changed > 0)
}

/// The partitions that have a job, in the order in which the jobs are due, each with the time until then.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn waiting(pool: &PgPool) -> Result<Vec<(Partition, Duration)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT partition, greatest(extract(epoch FROM run_at - clock_timestamp()), 0)::float8 AS "wait_s!"
             FROM jobs ORDER BY run_at, partition"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (Partition(row.partition as u16), Duration::from_secs_f64(row.wait_s)))
        .collect())
}

/// Locks a job until the transaction ends, and returns how often it has failed. None if there is no job, if another process
/// has locked it, or if it is not due and `at_once` is false.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    partition: Partition,
    at_once: bool,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT attempts FROM jobs WHERE partition = $1 AND ($2 OR run_at <= clock_timestamp()) FOR UPDATE SKIP LOCKED",
        i32::from(partition.0),
        at_once,
    )
    .fetch_optional(connection)
    .await
}

/// Deletes a job whose work is done.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn done(connection: &mut PgConnection, partition: Partition) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM jobs WHERE partition = $1", i32::from(partition.0)).execute(connection).await?;
    Ok(())
}

/// Records a failure: the job is due again after `retry_in`.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn failed(
    connection: &mut PgConnection,
    partition: Partition,
    error: &str,
    published: i64,
    retry_in: Duration,
) -> Result<(), sqlx::Error> {
    let error: String = error.chars().filter(|&character| character != '\0').take(ERROR_CHARS_MAX).collect();
    sqlx::query!(
        "UPDATE jobs
            SET attempts = attempts + 1, last_error = $2, published_position = greatest(published_position, $3),
                run_at = clock_timestamp() + $4 * interval '1 millisecond'
          WHERE partition = $1",
        i32::from(partition.0),
        error,
        published,
        milliseconds(retry_in),
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_waits_longer_than_the_one_before() {
        let waits: Vec<Duration> = (0..=40).map(retry_in).collect();
        assert_eq!((waits[0], waits[1], waits[2]), (RETRY_FIRST, RETRY_FIRST, RETRY_FIRST * 2));
        assert!(waits.is_sorted());
        assert_eq!(waits.last(), Some(&RETRY_LONGEST));
    }
}
