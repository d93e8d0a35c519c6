use access::Caller;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chassis::{CallerProblems, ServerProblems};
use domain::token::Scope;

use crate::answers::DeadLetterProblems;
use crate::dead_letters::{DeadLetterError, DeadLetterId, Resolved, retry};
use crate::error::ReportsError;
use crate::state::AppState;

/// Retry a dead letter
///
/// Folds the event, and the later ones of its stream that wait behind it, in order. If it still cannot be folded, the
/// answer is 409 `dead-letter-failed` and says why; if a later one cannot, that one takes its place.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/retry", tag = "operations",
    params(("id" = String, Path, description = "The dead letter, as the list names it.")),
    responses(
        (status = 200, description = "Folded.", body = Resolved),
        DeadLetterProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn retry_dead_letter(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Resolved>, ReportsError> {
    let principal = caller.require(Scope::Admin)?;
    let id = id_of(id)?;
    Ok(Json(retry(&state.pool, &state.log, &id, Some(principal.customer_id)).await?))
}

/// Reads the id in the path; a malformed one is answered like that of a dead letter that does not exist.
pub(super) fn id_of(id: Result<Path<String>, PathRejection>) -> Result<DeadLetterId, ReportsError> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    id.ok_or(ReportsError::DeadLetter(DeadLetterError::NotFound))
}
