use access::{Cause, for_browsers};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use chassis::{BodyProblems, CallerProblems, Problem, ServerProblems, read_body};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::batch::read_one;
use crate::error::ActivitiesError;
use crate::recorder::Recorded;
use crate::state::AppState;

/// An activity to be recorded. Only documents the fields; [`domain::activity::Pending`] reads them.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct NewActivity {
    /// The caller's idempotency key, without control characters; a `UUIDv7` is made if not given.
    #[schema(min_length = 1, max_length = 128, example = "order-1042-paid")]
    id: Option<String>,
    /// What was done, in any language: 1 to 200 characters in Unicode's normal form C, no control characters, no white
    /// space at either end.
    #[schema(rename = "type", min_length = 1, max_length = 200, example = "order.paid")]
    activity_type: String,
    /// Who did it, in the customer's own words.
    #[schema(min_length = 1, max_length = 256, example = "ada")]
    actor: String,
    /// When it happened; the time of receipt if not given. At most 24 hours ahead and 5 years back.
    occurred_at: Option<DateTime<Utc>>,
    /// An amount, a duration, a score: a double (IEEE 754). A number that a double does not hold to its last digit is
    /// refused, as 9007199254740993 is; up to 15 significant digits every number is held.
    value: Option<f64>,
    /// What the customer wants to know about it: at most 32 KiB, at most 8 deep. Every number keeps its digits.
    #[schema(value_type = Option<Object>)]
    properties: Option<serde_json::Value>,
    /// Where it came from, as ip, user agent, session, page: at most 32 KiB, at most 8 deep.
    #[schema(value_type = Option<Object>)]
    context: Option<serde_json::Value>,
}

/// An activity that is durable.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordedActivity {
    /// Its id.
    id: String,
    /// Its place in the customer's history.
    position: i64,
    /// Whether the same had been recorded before; this is then the first answer again.
    duplicate: bool,
}

/// Record an activity
///
/// Answers once it is durable. The same id again with the same content gets the first answer, with `duplicate`. Content is
/// the same when it means the same: whatever the spacing and the order of keys, and with numbers that are equal by value,
/// as 100 and 1e2.
#[utoipa::path(
    post, path = "/v1/activities", tag = "activities",
    request_body(content = NewActivity, example = json!({
        "type": "order.paid", "actor": "ada", "value": 42.5, "properties": {"plan": "pro"}
    })),
    responses(
        (status = 202, description = "Recorded, and durable.", body = RecordedActivity),
        (status = 409, description = "Another activity has this id.", body = Problem),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn record_activity(State(state): State<AppState>, request: Request) -> Response {
    for_browsers(request, |request| record(state, request)).await
}

async fn record(state: AppState, request: Request) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = state.access.recorder(request.headers(), request.extensions()).await?;
    let cause = Cause::request(request.headers(), principal.subject).to_json();
    let body = read_body(request, state.limits.body()).await?;
    let activity = read_one(&body, Utc::now())?;
    let id = activity.id.clone();
    let outcomes = state.recorder.record(principal.customer_id, vec![activity], &cause).await?;
    let (position, duplicate) = match outcomes.first() {
        Some(Recorded::New { position }) => (*position, false),
        Some(Recorded::Duplicate { position }) => (*position, true),
        Some(Recorded::IdReused) => return Err(ActivitiesError::IdReused),
        None => return Err(ActivitiesError::Internal("the recorder gave no answer".to_owned())),
    };
    Ok((StatusCode::ACCEPTED, Json(RecordedActivity { id: id.to_string(), position, duplicate })))
}
