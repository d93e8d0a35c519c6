use access::{Caller, Cause};
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ServerProblems};
use domain::activity::ActivityCommand;
use domain::token::Scope;
use http::{HeaderMap, StatusCode};

use super::correct_activity::expected_sequence;
use super::named::NamedActivity;
use crate::answers::ActivityProblems;
use crate::error::ActivitiesError;
use crate::state::AppState;

/// Redact an activity
///
/// Reports take it out; the history keeps that it happened. Its id stays taken.
#[utoipa::path(
    delete, path = "/v1/activities/{id}", tag = "activities",
    params(
        ("id" = String, Path, description = "The activity's id, percent-encoded. Of an id that clients take out of a \
          path, as `..`, the address is `/v1/activities/?id=..`."),
        ("if-match" = Option<String>, Header, description = "The ETag that GET answered; 412 if it has changed since."),
    ),
    responses(
        (status = 204, description = "Redacted."),
        (status = 400, description = "If-Match is no ETag of an activity.", body = Problem),
        (status = 412, description = "It has changed since the sequence in If-Match.", body = Problem),
        ActivityProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn redact_activity(
    State(state): State<AppState>,
    caller: Caller,
    NamedActivity(id): NamedActivity,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Ingest)?;
    let command = ActivityCommand::RedactActivity { expected_sequence: expected_sequence(&headers)? };
    let cause = Cause::request(&headers, principal.subject).to_json();
    state.changer.execute(principal.customer_id, &id, command, &cause).await?;
    Ok(StatusCode::NO_CONTENT)
}
