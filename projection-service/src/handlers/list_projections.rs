use chassis::{CallerProblems, ServerProblems};
use std::time::Instant;

use access::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::token::Scope;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dead_letters::counts;
use crate::error::ReportsError;
use crate::state::AppState;
use crate::{jobs, status};

/// The projections, as they stand in the customer's partition.
#[derive(Serialize, ToSchema)]
pub(crate) struct Projections {
    /// By name.
    items: Vec<ProjectionState>,
    /// The partition in which the customer's history lies.
    partition: u16,
    /// How far it is known to be published.
    published_position: i64,
    /// The delayed job that folds the partition; none if nothing is left to fold.
    #[schema(required)]
    job: Option<DelayedJob>,
}

/// How far a projection has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectionState {
    /// Its name.
    #[schema(example = "activities")]
    name: String,
    /// The version of the code that folds it.
    version: i32,
    /// The generation that queries read.
    generation: i32,
    /// The generation that a rebuild is filling.
    #[schema(required)]
    building_generation: Option<i32>,
    /// Everything up to here is accounted for.
    position: i64,
    /// When the event there was recorded.
    #[schema(required)]
    recorded_at: Option<DateTime<Utc>>,
    /// How many published events are left to fold.
    lag_events: i64,
    /// How long the first of these has been waiting, in milliseconds.
    lag_ms: i64,
    /// How many events of the customer could not be folded.
    dead_letters: i64,
    /// How many wait behind these.
    waiting: i64,
}

/// A delayed job.
#[derive(Serialize, ToSchema)]
pub(crate) struct DelayedJob {
    /// When it is due.
    run_at: DateTime<Utc>,
    /// How often it has failed.
    attempts: i32,
}

/// List projections
///
/// How far each has come in the customer's partition, and what of the customer's it could not fold.
#[utoipa::path(
    get, path = "/v1/projections", tag = "operations",
    responses(
        (status = 200, description = "All of them.", body = Projections),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_projections(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Projections>, ReportsError> {
    let principal = caller.require(Scope::Admin)?;
    let partition = state.partition(principal.customer_id);
    let counts = counts(&state.pool, principal.customer_id).await?;
    let published = state.lag.published(partition);
    let mut items = Vec::new();
    for projection in status::status(&state.pool).await? {
        let mut checkpoints = projection.partitions.into_iter();
        let Some(checkpoint) = checkpoints.find(|one| one.partition == partition.0) else { continue };
        let lag = state.lag.of(partition, checkpoint.position, Instant::now());
        let (dead_letters, waiting) = counts.get(&projection.name).copied().unwrap_or_default();
        items.push(ProjectionState {
            name: projection.name,
            version: projection.version,
            generation: projection.generation,
            building_generation: projection.building,
            position: checkpoint.position,
            recorded_at: checkpoint.recorded_at,
            lag_events: (published - checkpoint.position).max(0),
            lag_ms: lag.as_millis() as i64,
            dead_letters,
            waiting,
        });
    }
    let job = jobs::jobs(&state.pool).await?.into_iter().find(|job| job.partition == partition.0);
    let job = job.map(|job| DelayedJob { run_at: job.run_at, attempts: job.attempts });
    Ok(Json(Projections { items, partition: partition.0, published_position: published, job }))
}
