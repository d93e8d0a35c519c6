use access::Caller;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use chassis::Problem;
use domain::TokenId;
use domain::token::Scope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answers::{CallerProblems, ServerProblems};
use crate::error::CustomersError;
use crate::state::AppState;
use crate::tokens::{self, TokenAnswer};

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenPage {
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
    params(Page),
    responses(
        (status = 200, description = "A page.", body = TokenPage),
        (status = 400, description = "The query string does not keep the rules.", body = Problem,
         content_type = "application/problem+json"),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_tokens(
    State(state): State<AppState>,
    caller: Caller,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = caller.require(Scope::Admin)?;
    let Query(page) = page.map_err(|rejection| CustomersError::InvalidQuery(rejection.body_text()))?;
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(CustomersError::InvalidQuery(format!("limit must be 1 to {LIMIT_MAX}")));
    }
    let cursor: Option<Result<TokenId, _>> = page.cursor.map(|cursor| cursor.parse());
    let invalid = |_| CustomersError::InvalidQuery("cursor must be the next_cursor of a page".to_owned());
    let before = cursor.transpose().map_err(invalid)?;

    // One more than asked for tells whether there is a next page.
    let mut items = tokens::list(&state.pool, principal.customer_id, before, limit + 1).await?;
    let more = items.len() as i64 > limit;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(TokenPage { items, next_cursor }))
}
