use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, ProblemPath, ServerProblems};
use domain::TokenId;
use domain::customer::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::events::{self, TokenHistoryEvent};
use super::stream::stream;
use super::table::{self, TokenAnswer};
use super::uses::{self, Uses};
use crate::documented::{IdProblems, TokenProblems};
use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;

/// Everything that is known of a token.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenHistory {
    /// The customer's id.
    customer_id: Uuid,
    /// As it now stands.
    token: TokenAnswer,
    /// What happened to it, in order: who made it, rotated it and revoked it.
    events: Vec<TokenHistoryEvent>,
    /// From when to when it was used, and from where.
    uses: Uses,
}

/// Trace a token
///
/// Who made it, who used it from when to when, who rotated or revoked it.
#[utoipa::path(
    get, path = "/v1/tokens/{id}/history", tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    responses(
        (status = 200, description = "Its history.", body = TokenHistory),
        IdProblems, TokenProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn token_history(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::TraceTokens).await?;
    let id: TokenId = id.parse().map_err(|_| CustomersError::TokenNotFound)?;
    state.projection.catch_up().await?;
    let token = table::find(&state.pool, principal.customer_id, id).await?;
    let events = events::of(&state, principal.customer_id, &stream(&principal, id)).await?;
    let uses = uses::of(&state.pool, id).await?;
    Ok(Json(TokenHistory { customer_id: principal.customer_id.0, token, events, uses }))
}
