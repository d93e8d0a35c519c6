use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, ProblemPath, ServerProblems};
use cqrs_es::Aggregate;
use domain::activity::{Activity, ActivityEvent};
use domain::token::Scope;
use domain::{ActivityId, CustomerId};
use event_store::{EventLog, LogError};
use http::header::ETAG;

use crate::answers::{ActivityAnswer, ActivityProblems};
use crate::error::ActivitiesError;
use crate::state::AppState;

/// Get an activity
///
/// As it now stands, after its corrections. The `ETag` is for `If-Match`.
#[utoipa::path(
    get, path = "/v1/activities/{id}", tag = "activities",
    security(("token" = []), ("basic" = []), ("session" = [])),
    params(("id" = String, Path, description = "The activity's id.")),
    responses(
        (status = 200, description = "The activity.", body = ActivityAnswer,
         headers(("etag" = String, description = "Its sequence, as \"1\"."))),
        ActivityProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn get_activity(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Read)?;
    let activity = current(&state.log, principal.customer_id, id_of(id)?).await?;
    Ok(([(ETAG, etag(activity.sequence))], Json(activity)))
}

/// The id in a path; what can be no id is that of no activity.
pub(super) fn id_of(id: String) -> Result<ActivityId, ActivitiesError> {
    ActivityId::parse(id).map_err(|_| ActivitiesError::NotFound)
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
    let events = log.read_stream(partition, Activity::TYPE, &id.stream(customer)).await?;
    let first = events.first().ok_or(ActivitiesError::NotFound)?;
    let (position, recorded_at) = (first.position, first.recorded_at);
    let mut activity = Activity::default();
    for event in &events {
        activity.apply(event.decode::<ActivityEvent>().map_err(LogError::from)?);
    }
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
