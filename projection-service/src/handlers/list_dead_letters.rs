use access::Caller;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use chassis::{CallerProblems, ServerProblems};
use domain::token::Scope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answers::QueryProblems;
use crate::dead_letters::{DeadLetter, DeadLetterId, DeadLetterQuery, dead_letters};
use crate::error::ReportsError;
use crate::state::AppState;

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;

/// Which page of which dead letters.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Only those of this projection.
    projection: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
}

/// A page of dead letters.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeadLetterPage {
    /// By position.
    items: Vec<DeadLetter>,
    /// For the next page; none if this is the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// List dead letters
///
/// Events that a projection could not fold, with the reason. Later events of the same stream wait behind each; everything
/// else goes on without them.
#[utoipa::path(
    get, path = "/v1/dead-letters", tag = "operations", security(("token" = []), ("basic" = []), ("session" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "A page.", body = DeadLetterPage),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_dead_letters(
    State(state): State<AppState>,
    caller: Caller,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Json<DeadLetterPage>, ReportsError> {
    let principal = caller.require(Scope::Admin)?;
    let Query(parameters) =
        parameters.map_err(|rejection| ReportsError::InvalidQuery(rejection.body_text()))?;
    let limit = parameters.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(ReportsError::InvalidQuery(format!("limit must be 1 to {LIMIT_MAX}")));
    }
    let invalid = |_| ReportsError::InvalidQuery("cursor must be the next_cursor of a page".to_owned());
    let after =
        parameters.cursor.map(|cursor| cursor.parse::<DeadLetterId>()).transpose().map_err(invalid)?;
    let query = DeadLetterQuery {
        customer: Some(principal.customer_id),
        projection: parameters.projection,
        after,
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
    };
    let mut items = dead_letters(&state.pool, &query).await?;
    let more = items.len() as i64 > limit;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(DeadLetterPage { items, next_cursor }))
}
