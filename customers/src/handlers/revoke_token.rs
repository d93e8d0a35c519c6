use access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemPath, ServerProblems};
use domain::TokenId;
use domain::customer::Permission;
use http::{HeaderMap, StatusCode};

use crate::error::CustomersError;
use crate::state::AppState;
use crate::{excess, permissions};

/// Revoke a token
///
/// Nobody is let in with it any more, within a second everywhere. Revoking it again changes nothing.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "tokens", security(("token" = []), ("basic" = []), ("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    responses(
        (status = 400, description = "The id has a character that no id has.", body = Problem,
         content_type = "application/problem+json"),
        (status = 204, description = "Revoked."),
        (status = 404, description = "There is no such token.", body = Problem,
         content_type = "application/problem+json"),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn revoke_token(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManageTokens).await?;
    let id: TokenId = id.parse().map_err(|_| CustomersError::TokenNotFound)?;
    excess::revoke_token(&state, principal, &headers, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
