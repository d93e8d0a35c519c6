//! Dead letters: events that a projection could not fold. An operator lists, retries or discards them.

mod id;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::dead_letter::DeadLetterDiscarded;
use domain::{CustomerId, Json, Partition};
use event_store::EventLog;
use serde::Serialize;
use sqlx::PgPool;
use sqlx::types::Json as SqlJson;
use utoipa::ToSchema;

use crate::fold::{self, Folder, PageError, Released, Target, lock_fold_shared, lock_live, prepare};
use crate::store::{NAME, Sizes};
use crate::transaction::begin;

pub use id::{DeadLetterId, NoDeadLetterId};

/// An event that a projection could not fold.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeadLetter {
    /// `PROJECTION-PARTITION-POSITION`; a rebuild does not change it.
    #[schema(value_type = String, example = "activities-3-1042")]
    pub id: DeadLetterId,
    /// The projection that goes on without it.
    #[schema(example = "activities")]
    pub projection: String,
    /// The event's partition in the log, from 0.
    pub partition: u16,
    /// The event's position in its partition, from 1.
    pub position: i64,
    /// The customer whose event it is.
    #[schema(value_type = uuid::Uuid)]
    pub customer_id: CustomerId,
    /// The id of the event's stream.
    pub aggregate_id: String,
    /// The event's number in its stream, from 1.
    pub sequence: i64,
    /// The name of the event.
    #[schema(example = "ActivityRecorded")]
    pub event_type: String,
    /// The version of its payload.
    #[schema(example = "3.0.0")]
    pub event_version: String,
    /// When the event was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The error of the last attempt to fold it.
    pub reason: String,
    /// How many attempts failed.
    pub attempts: i32,
    /// When it became a dead letter.
    pub set_aside_at: DateTime<Utc>,
    /// When it was last tried.
    pub attempted_at: DateTime<Utc>,
    /// How many later events of its stream wait behind it.
    pub waiting: i64,
    /// The payload of the event as the log has it.
    #[schema(value_type = Object)]
    pub payload: Json,
}

impl DeadLetter {
    /// The event to record in the log when this dead letter is discarded.
    #[must_use]
    pub fn discarded(self, reason: String) -> DeadLetterDiscarded {
        DeadLetterDiscarded {
            projection: self.projection,
            position: self.position,
            stream: self.aggregate_id,
            event_type: self.event_type,
            failure: self.reason,
            reason,
        }
    }
}

/// Selects dead letters; a filter that is none selects all.
#[derive(Clone, Debug)]
pub struct DeadLetterQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only those of this projection.
    pub projection: Option<String>,
    /// Only those that come after this one in the list.
    pub after: Option<DeadLetterId>,
    /// The most dead letters to return.
    pub limit: i64,
}

/// A dead letter that was folded or discarded, and what became of the events that waited behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Resolved {
    /// The dead letter that was folded or discarded.
    #[schema(value_type = String, example = "activities-3-1042")]
    pub id: DeadLetterId,
    /// How many events of the stream this request folded, without those that the fold of the log did first.
    pub folded: u64,
    /// The event of the stream that could not be folded and is now the dead letter; the later ones wait behind it.
    #[schema(required)]
    pub stopped_at: Option<StoppedAt>,
}

/// The next dead letter of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoppedAt {
    /// The id of the next dead letter.
    #[schema(value_type = String, example = "activities-3-1043")]
    pub id: DeadLetterId,
    /// The error of the attempt to fold it.
    pub reason: String,
}

/// Why a dead letter cannot be shown, retried or discarded.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// There is no dead letter with this id, or the caller may not see it.
    #[error("there is no such dead letter")]
    NotFound,
    /// The event waits behind a dead letter of its stream, which must be resolved first.
    #[error("the event waits behind the dead letter {behind}, which comes first")]
    Waits {
        /// The dead letter to resolve first.
        behind: DeadLetterId,
    },
    /// The attempt to fold the event failed again.
    #[error("the event still cannot be folded: {reason}")]
    Failed {
        /// The error of this attempt.
        reason: String,
    },
    /// Another version of the program folds this projection.
    #[error(
        "the projection {projection} is folded by another version of this program; try again when it is rebuilt"
    )]
    OtherVersion {
        /// The name of the projection.
        projection: String,
    },
    /// The read model cannot be written, for a reason that is not this event.
    #[error("the read model cannot be written: {0}")]
    Fold(String),
    /// The database is away or refuses.
    #[error("the database of reports: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<PageError> for DeadLetterError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Flush(crate::error::FlushError::Database(error)) => Self::Database(error),
            error => Self::Fold(error.to_string()),
        }
    }
}

/// Lists dead letters in the order of partition and position.
///
/// # Errors
/// An error if the database fails.
pub async fn dead_letters(pool: &PgPool, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let after = query.after.as_ref();
    let rows = sqlx::query!(
        r#"SELECT d.projection, d.partition, d.position, d.customer_id, d.aggregate_id, d.sequence, d.event_type,
                  d.event_version, d.recorded_at, d.reason, d.attempts, d.set_aside_at, d.attempted_at,
                  d.payload AS "payload: SqlJson<Json>",
                  (SELECT count(*) FROM dead_letters w
                    WHERE w.projection = d.projection AND w.generation = d.generation AND w.partition = d.partition
                      AND w.aggregate_id = d.aggregate_id AND w.waits_behind = d.position) AS "waiting!"
             FROM dead_letters d
             JOIN projections p ON p.name = d.projection AND p.live_generation = d.generation
            WHERE d.waits_behind IS NULL
              AND ($1::uuid IS NULL OR d.customer_id = $1)
              AND ($2::text IS NULL OR d.projection = $2)
              AND ($3::int IS NULL OR (d.partition, d.position, d.projection) > ($3, $4, $5))
            ORDER BY d.partition, d.position, d.projection LIMIT $6"#,
        query.customer.map(|customer| customer.0),
        query.projection.as_deref(),
        after.map(|id| i32::from(id.partition.0)),
        after.map(|id| id.position),
        after.map(|id| id.projection.as_str()),
        query.limit,
    )
    .fetch_all(pool)
    .await?;
    let found = rows.into_iter().map(|row| DeadLetter {
        id: DeadLetterId::new(&row.projection, Partition(row.partition as u16), row.position),
        projection: row.projection,
        partition: row.partition as u16,
        position: row.position,
        customer_id: CustomerId(row.customer_id),
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        event_type: row.event_type,
        event_version: row.event_version,
        recorded_at: row.recorded_at,
        reason: row.reason,
        attempts: row.attempts,
        set_aside_at: row.set_aside_at,
        attempted_at: row.attempted_at,
        waiting: row.waiting,
        payload: row.payload.0.into_canonical(),
    });
    Ok(found.collect())
}

/// Finds one dead letter; only the customer's, if one is given.
///
/// # Errors
/// [`DeadLetterError::NotFound`], [`DeadLetterError::Waits`], or what the database says.
pub async fn dead_letter(
    pool: &PgPool,
    id: &DeadLetterId,
    customer: Option<CustomerId>,
) -> Result<DeadLetter, DeadLetterError> {
    let before = DeadLetterId { position: id.position - 1, ..id.clone() };
    // The list after the position before it begins with it, if there is such a dead letter.
    let query =
        DeadLetterQuery { customer, projection: Some(id.projection.clone()), after: Some(before), limit: 1 };
    let found = dead_letters(pool, &query).await?.pop().filter(|first| first.id == *id);
    match found {
        Some(dead_letter) => Ok(dead_letter),
        None => Err(waits_or_not_found(pool, id, customer).await?),
    }
}

/// For each projection: how many dead letters a customer has, and how many events wait behind them.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn counts(
    pool: &PgPool,
    customer: CustomerId,
) -> Result<HashMap<String, (i64, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT d.projection, count(*) FILTER (WHERE d.waits_behind IS NULL) AS "dead!", count(d.waits_behind) AS "waiting!"
             FROM dead_letters d
             JOIN projections p ON p.name = d.projection AND p.live_generation = d.generation
            WHERE d.customer_id = $1 GROUP BY d.projection"#,
        customer.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.projection, (row.dead, row.waiting))).collect())
}

async fn waits_or_not_found(
    pool: &PgPool,
    id: &DeadLetterId,
    customer: Option<CustomerId>,
) -> Result<DeadLetterError, sqlx::Error> {
    let behind = sqlx::query_scalar!(
        r#"SELECT d.waits_behind AS "behind!" FROM dead_letters d
             JOIN projections p ON p.name = d.projection AND p.live_generation = d.generation
            WHERE d.projection = $1 AND d.partition = $2 AND d.position = $3 AND d.waits_behind IS NOT NULL
              AND ($4::uuid IS NULL OR d.customer_id = $4)"#,
        id.projection,
        i32::from(id.partition.0),
        id.position,
        customer.map(|customer| customer.0),
    )
    .fetch_optional(pool)
    .await?;
    Ok(behind.map_or(DeadLetterError::NotFound, |position| DeadLetterError::Waits {
        behind: DeadLetterId { position, ..id.clone() },
    }))
}

/// Folds a dead letter and the events that wait behind it, in order, up to the first one that cannot be folded.
///
/// # Errors
/// [`DeadLetterError`]; [`DeadLetterError::Failed`] if the dead letter itself cannot be folded.
pub async fn retry(
    pool: &PgPool,
    log: &EventLog,
    id: &DeadLetterId,
    customer: Option<CustomerId>,
) -> Result<Resolved, DeadLetterError> {
    let stream = &dead_letter(pool, id, customer).await?.aggregate_id;
    let folder = Folder::new(log.clone(), Sizes::default());
    let released = with_live_checkpoint_locked(pool, id, async |connection, target| {
        fold::release(connection, &folder, target, stream).await
    })
    .await?;
    // If another request folded it in the meantime, nothing is left to fold, and that is no error.
    match released {
        Released { folded: 0, stopped: Some(stopped) } if stopped.position == id.position => {
            Err(DeadLetterError::Failed { reason: stopped.reason })
        }
        released => Ok(resolved(id, released)),
    }
}

/// Removes a dead letter and folds the events that waited behind it. The log must already say that it is discarded: the
/// fold of that event does the same, and this only does it sooner.
///
/// # Errors
/// [`DeadLetterError`], never [`DeadLetterError::Failed`].
pub async fn discard(pool: &PgPool, log: &EventLog, id: &DeadLetterId) -> Result<Resolved, DeadLetterError> {
    let position = id.position;
    let folder = Folder::new(log.clone(), Sizes::default());
    let released = with_live_checkpoint_locked(pool, id, async |connection, target| {
        fold::discard(connection, &folder, target, position).await
    })
    .await?;
    Ok(resolved(id, released))
}

/// Changes the live generation as a fold does: with its checkpoint locked, in one transaction.
async fn with_live_checkpoint_locked(
    pool: &PgPool,
    id: &DeadLetterId,
    work: impl AsyncFnOnce(&mut sqlx::PgConnection, &mut Target) -> Result<Released, PageError>,
) -> Result<Released, DeadLetterError> {
    let mut transaction = begin(pool).await?;
    prepare(&mut transaction).await?;
    lock_fold_shared(&mut transaction).await?;
    let target = lock_live(&mut transaction, id.partition).await?;
    let Some(mut target) = target.filter(|_| id.projection == NAME) else {
        return Err(DeadLetterError::OtherVersion { projection: id.projection.clone() });
    };
    let released = work(&mut transaction, &mut target).await?;
    transaction.commit().await?;
    metrics::counter!("daybook_projection_folded_total", "projection" => NAME).increment(released.folded);
    Ok(released)
}

fn resolved(id: &DeadLetterId, released: Released) -> Resolved {
    let stopped_at = released.stopped.map(|stopped| StoppedAt {
        id: DeadLetterId { position: stopped.position, ..id.clone() },
        reason: stopped.reason,
    });
    Resolved { id: id.clone(), folded: released.folded, stopped_at }
}
