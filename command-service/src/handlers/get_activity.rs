use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ServerProblems};
use cqrs_es::Aggregate;
use domain::activity::Activity;
use domain::token::Scope;
use domain::{ActivityId, CustomerId};
use event_store::{EventLog, LogError};
use http::header::ETAG;

use super::named::NamedActivity;
use crate::answers::{ActivityAnswer, ActivityProblems};
use crate::error::ActivitiesError;
use crate::state::AppState;

/// Get an activity
///
/// As it now stands, after its corrections. The `ETag` is for `If-Match`.
#[utoipa::path(
    get, path = "/v1/activities/{id}", tag = "activities",
    params(
        ("id" = String, Path, description = "The activity's id, percent-encoded. Of an id that clients take out of a \
          path, as `..`, the address is `/v1/activities/?id=..`."),
    ),
    responses(
        (status = 200, description = "The activity.", body = ActivityAnswer,
         headers(("etag" = String, description = "Its sequence, as \"1\"."))),
        (status = 400, description = "The path cannot be read, or is without an id and the query is too.", body = Problem),
        ActivityProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn get_activity(
    State(state): State<AppState>,
    caller: Caller,
    NamedActivity(id): NamedActivity,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Read)?;
    let activity = current(&state.log, principal.customer_id, id).await?;
    Ok(([(ETAG, etag(activity.sequence))], Json(activity)))
}

pub(super) fn etag(sequence: u64) -> String {
    format!("\"{sequence}\"")
}

/// An activity as it now stands.
///
/// # Errors
/// [`ActivitiesError::NotFound`], [`ActivitiesError::Redacted`], or what the log says.
pub(super) async fn current(
    log: &EventLog,
    customer: CustomerId,
    id: ActivityId,
) -> Result<ActivityAnswer, ActivitiesError> {
    let partition = log.partitions().of(customer);
    let stream = id.stream(customer);
    // What stands is in the last event, and where it was recorded in the first, whatever lies between.
    let last = log.read_last(partition, Activity::TYPE, &stream, i64::MAX).await?;
    let last = last.ok_or(ActivitiesError::NotFound)?;
    let first = if last.sequence == 1 {
        (last.position, last.recorded_at)
    } else {
        let first = log.read_last(partition, Activity::TYPE, &stream, 1).await?;
        first.map(|first| (first.position, first.recorded_at)).ok_or(ActivitiesError::NotFound)?
    };
    let (position, recorded_at) = first;
    let activity = Activity::after(last.decode().map_err(LogError::from)?, last.sequence as u64);
    if activity.redacted {
        return Err(ActivitiesError::Redacted);
    }
    let content = activity.content.ok_or(ActivitiesError::NotFound)?;
    Ok(ActivityAnswer {
        id: id.to_string(),
        activity_type: content.activity_type,
        actor: content.actor,
        occurred_at: content.occurred_at,
        value: content.value,
        properties: content.properties,
        context: content.context,
        sequence: activity.sequence,
        partition: partition.0,
        position,
        recorded_at,
    })
}
