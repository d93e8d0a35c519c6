use access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, ProblemPath, ServerProblems};
use domain::TokenId;
use domain::customer::Permission;
use http::{HeaderMap, StatusCode};

use super::revocation::revoke_one;
use crate::documented::{IdProblems, TokenProblems};
use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;

/// Revoke a token
///
/// Nobody is let in with it any more, within a second everywhere. Revoking it again changes nothing.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    responses(
        (status = 204, description = "Revoked."),
        IdProblems, TokenProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn revoke_token(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManageTokens).await?;
    let id: TokenId = id.parse().map_err(|_| CustomersError::TokenNotFound)?;
    revoke_one(&state, &principal, &headers, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
