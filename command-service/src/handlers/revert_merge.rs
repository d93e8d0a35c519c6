use access::{Caller, Cause};
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{AnyPath, CallerProblems, Problem, ServerProblems};
use domain::identity::Merge;
use domain::token::Scope;
use http::{HeaderMap, StatusCode};

use crate::error::ActivitiesError;
use crate::state::AppState;

/// Revert a merge
///
/// The alias means an actor of its own again, also in what was done before. As of an earlier position they are one still.
#[utoipa::path(
    delete, path = "/v1/actors/{actor}/aliases/{alias}", tag = "actors",
    params(
        ("actor" = String, Path, description = "The actor's name, percent-encoded: a slash is written `%2F`.", example = "ada"),
        ("alias" = String, Path, description = "The name that was merged into it, likewise.", example = "anonymous-7"),
    ),
    responses(
        (status = 204, description = "Reverted."),
        (status = 400, description = "The path cannot be read.", body = Problem),
        (status = 404, description = "The alias is not merged into this actor.", body = Problem),
        (status = 422, description = "What stands there is no name.", body = Problem),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn revert_merge(
    State(state): State<AppState>,
    caller: Caller,
    AnyPath((actor, alias)): AnyPath<(String, String)>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Ingest)?;
    let cause = Cause::request(&headers, principal.subject).to_json();
    state.identities.revert(principal.customer_id, Merge { actor, alias }, &cause).await?;
    Ok(StatusCode::NO_CONTENT)
}
