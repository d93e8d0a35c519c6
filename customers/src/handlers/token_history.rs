use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemPath, ServerProblems};
use domain::TokenId;
use domain::customer::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::permissions;
use crate::state::{AppState, token_stream};
use crate::tokens::{self, TokenAnswer};
use crate::trace::{self, TokenTrace};
use crate::uses::{self, Uses};

/// Everything that is known of a token.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenHistory {
    /// Whose.
    customer_id: Uuid,
    /// As it now stands.
    token: TokenAnswer,
    /// What happened to it, in order: who made it, rotated it and revoked it.
    events: Vec<TokenTrace>,
    /// From when to when it was used, and from where.
    uses: Uses,
}

/// Trace a token
///
/// Who made it, who used it from when to when, who rotated or revoked it.
#[utoipa::path(
    get, path = "/v1/tokens/{id}/history", tag = "tokens",
    security(("token" = []), ("basic" = []), ("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    responses(
        (status = 400, description = "The id has a character that no id has.", body = Problem,
         content_type = "application/problem+json"),
        (status = 200, description = "Its history.", body = TokenHistory),
        (status = 404, description = "There is no such token.", body = Problem,
         content_type = "application/problem+json"),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn token_history(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::TraceTokens).await?;
    let id: TokenId = id.parse().map_err(|_| CustomersError::TokenNotFound)?;
    state.projection.catch_up().await?;
    let token = tokens::find(&state.pool, principal.customer_id, id).await?;
    let events = trace::of(&state, principal.customer_id, &token_stream(principal, id)).await?;
    let uses = uses::of(&state.pool, id).await?;
    Ok(Json(TokenHistory { customer_id: principal.customer_id.0, token, events, uses }))
}
