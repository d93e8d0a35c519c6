use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, PageParameters, Paging, ProblemQuery, QueryProblems, ServerProblems};
use domain::TokenId;
use domain::customer::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;
use crate::tokens::{self, TokenAnswer};

/// A page of tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenPage {
    /// Whose.
    customer_id: Uuid,
    /// The newest first.
    items: Vec<TokenAnswer>,
    /// For the next page, if there is one.
    next_cursor: Option<String>,
}

/// List tokens
///
/// The customer's tokens, those that have ended too; never a secret.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "tokens", security(("token" = []), ("basic" = []), ("session" = [])),
    params(PageParameters),
    responses(
        (status = 200, description = "A page.", body = TokenPage),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_tokens(
    State(state): State<AppState>,
    caller: Caller,
    ProblemQuery(parameters): ProblemQuery<PageParameters>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManageTokens).await?;
    let page = Paging::try_from(parameters)?;
    let before = page.cursor.map(TokenId);
    let mut items = tokens::list(&state.pool, principal.customer_id, before, page.rows()).await?;
    let next_cursor = page.cut(&mut items, |token| token.id);
    Ok(Json(TokenPage { customer_id: principal.customer_id.0, items, next_cursor }))
}
