use access::{Caller, Cause, InternalCall, RecordDiscard};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chassis::{BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use domain::dead_letter::DeadLetter as Aggregate;
use domain::token::Scope;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::retry_dead_letter::id_of;
use crate::answers::DeadLetterProblems;
use crate::dead_letters::{Resolved, dead_letter, discard};
use crate::error::ReportsError;
use crate::state::AppState;

/// Why it is discarded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscardDeadLetter {
    /// In words: the history keeps it.
    #[schema(min_length = 1, max_length = 500, example = "sent by a test of the import")]
    reason: String,
}

/// Discard a dead letter
///
/// The projection goes on without the event, for good, and the later ones of its stream are folded, in order. The decision
/// is an event of its own: the history says who made it and why, and a rebuild respects it.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/discard", tag = "operations",
    params(("id" = String, Path, description = "The dead letter, as the list names it.")),
    request_body = DiscardDeadLetter,
    responses(
        (status = 200, description = "Discarded, and recorded.", body = Resolved),
        DeadLetterProblems, BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn discard_dead_letter(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<DiscardDeadLetter>,
) -> Result<Json<Resolved>, ReportsError> {
    let principal = caller.require(Scope::Admin)?;
    let id = id_of(id)?;
    let reason = Aggregate::check_reason(&body.reason)?.to_owned();
    let letter = dead_letter(&state.pool, &id, Some(principal.customer_id)).await?;
    let call = RecordDiscard {
        customer_id: letter.customer_id,
        discard: letter.discarded(reason),
        cause: Cause::request(&headers, principal.subject),
    };
    let recorded = call.ask(&state.activities, state.access.internal_key()).await;
    recorded.map_err(|error| ReportsError::LogUnavailable(error.to_string()))?;
    // The decision is in the log. Should this fail, the fold that meets it there does the same.
    Ok(Json(discard(&state.pool, &state.log, &id).await?))
}
