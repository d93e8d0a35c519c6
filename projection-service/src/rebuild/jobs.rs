//! Rebuilds that were asked for: one row each, so that a process that is started again goes on with them, and everybody can
//! read how far they are.

use std::time::Duration;

use chrono::{DateTime, Utc};
use event_store::EventLog;
use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::watch;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Progress, RebuildError, RebuildOptions, rebuild};
use crate::store::NAME;
use crate::transaction::begin;

/// How often it is written down how far a rebuild is.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// Rebuilds that are remembered.
const KEPT_MAX: i64 = 100;
const ERROR_CHARS_MAX: usize = 1_000;

/// A rebuild that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RebuildJob {
    /// Names it.
    pub id: Uuid,
    /// What is rebuilt.
    #[schema(example = "activities")]
    pub projection: String,
    /// How it stands with it.
    pub state: RebuildState,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it began; none while it waits.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; none until then.
    #[schema(required)]
    pub ended_at: Option<DateTime<Utc>>,
    /// Events that are folded.
    pub folded: i64,
    /// Events that are to be folded.
    pub total: i64,
    /// Events a second, lately.
    pub rate: f64,
    /// How long the rest takes at this rate, in milliseconds; none if that is not known.
    #[schema(required)]
    pub remaining_ms: Option<i64>,
    /// The new generation, once it is live.
    #[schema(required)]
    pub generation: Option<i32>,
    /// Why it failed, if it did.
    #[schema(required)]
    pub error: Option<String>,
}

/// How it stands with a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RebuildState {
    /// For a process to take it up.
    Waiting,
    /// It is under way.
    Running,
    /// What it built is live.
    Done,
    /// What was live still is.
    Failed,
}

struct Row {
    id: Uuid,
    projection: String,
    requested_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    folded: i64,
    total: i64,
    rate: f64,
    generation: Option<i32>,
    error: Option<String>,
}

impl From<Row> for RebuildJob {
    fn from(row: Row) -> Self {
        let state = match (row.started_at, row.ended_at, &row.error) {
            (_, Some(_), Some(_)) => RebuildState::Failed,
            (_, Some(_), None) => RebuildState::Done,
            (Some(_), None, _) => RebuildState::Running,
            (None, None, _) => RebuildState::Waiting,
        };
        let left = (row.total - row.folded).max(0) as f64;
        let is_known = state == RebuildState::Running && row.rate > 0.0;
        Self {
            id: row.id,
            projection: row.projection,
            state,
            requested_at: row.requested_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            folded: row.folded,
            total: row.total,
            rate: row.rate,
            remaining_ms: is_known.then(|| (left / row.rate * 1e3) as i64),
            generation: row.generation,
            error: row.error,
        }
    }
}

/// Asks for a rebuild; one that has not ended yet is as good.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn request(pool: &PgPool) -> Result<RebuildJob, sqlx::Error> {
    let mut transaction = begin(pool).await?;
    sqlx::query!("LOCK TABLE rebuilds IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    sqlx::query!(
        "INSERT INTO rebuilds (id, projection)
         SELECT gen_random_uuid(), $1 WHERE NOT EXISTS (SELECT FROM rebuilds WHERE projection = $1 AND ended_at IS NULL)",
        NAME,
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "DELETE FROM rebuilds WHERE id IN (SELECT id FROM rebuilds ORDER BY requested_at DESC OFFSET $1)",
        KEPT_MAX,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    latest(pool).await?.ok_or(sqlx::Error::RowNotFound)
}

/// The rebuild that was asked for last.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn latest(pool: &PgPool) -> Result<Option<RebuildJob>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, projection, requested_at, started_at, ended_at, folded, total, rate, generation, error
           FROM rebuilds WHERE projection = $1 ORDER BY requested_at DESC LIMIT 1",
        NAME,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(RebuildJob::from))
}

/// Rebuilds if somebody has asked for it and no other process is at it. Returns whether there was anything to do.
///
/// # Errors
/// [`RebuildError`]; [`RebuildError::Busy`] if another process is at it.
pub(crate) async fn run_requested(
    pool: &PgPool,
    log: &EventLog,
    parallel: usize,
) -> Result<bool, RebuildError> {
    let open = latest(pool).await?.filter(|job| job.ended_at.is_none());
    let Some(RebuildJob { id, .. }) = open else { return Ok(false) };
    let (progress_sender, mut progress) = watch::channel(Progress::default());
    let options = RebuildOptions { verify: false, parallel, load_max: None };
    let rebuilding = rebuild(pool, log, options, move |progress| {
        progress_sender.send_replace(progress);
    });
    let mut rebuilding = std::pin::pin!(rebuilding);
    let mut interval = tokio::time::interval(WRITE_INTERVAL);
    let outcome = loop {
        tokio::select! {
            outcome = &mut rebuilding => break outcome,
            _ = interval.tick() => {
                let now = *progress.borrow_and_update();
                write(pool, id, &now).await?;
            }
        }
    };
    let last = *progress.borrow_and_update();
    match outcome {
        Err(RebuildError::Busy) => return Err(RebuildError::Busy),
        // The database is away: the rebuild goes on when it is back.
        Err(RebuildError::Database(error)) => return Err(RebuildError::Database(error)),
        Err(error) => end(pool, id, None, Some(&error.to_string())).await?,
        Ok(rebuilt) => {
            write(pool, id, &last).await?;
            end(pool, id, Some(rebuilt.generation), None).await?;
        }
    }
    Ok(true)
}

async fn write(pool: &PgPool, id: Uuid, progress: &Progress) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rebuilds SET started_at = coalesce(started_at, now()), folded = $2, total = $3, rate = $4, paused = $5
          WHERE id = $1",
        id,
        progress.folded as i64,
        progress.total as i64,
        progress.rate,
        progress.paused,
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn end(
    pool: &PgPool,
    id: Uuid,
    generation: Option<i32>,
    error: Option<&str>,
) -> Result<(), sqlx::Error> {
    let error: Option<String> = error
        .map(|error| error.chars().filter(|&character| character != '\0').take(ERROR_CHARS_MAX).collect());
    sqlx::query!(
        "UPDATE rebuilds SET ended_at = now(), generation = $2, error = $3 WHERE id = $1",
        id,
        generation,
        error,
    )
    .execute(pool)
    .await?;
    Ok(())
}
