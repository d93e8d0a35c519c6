use access::Caller;
use axum::Json;
use axum::extract::State;
use chassis::{CallerProblems, Paging, ParameterProblems, ProblemQuery, QueryProblems, ServerProblems};
use domain::token::Scope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::dead_letters::{DeadLetter, DeadLetterId, DeadLetterQuery, dead_letters};
use crate::error::ReportsError;
use crate::state::AppState;

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
    get, path = "/v1/dead-letters", tag = "operations",
    params(Parameters),
    responses(
        (status = 200, description = "A page.", body = DeadLetterPage),
        QueryProblems, ParameterProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_dead_letters(
    State(state): State<AppState>,
    caller: Caller,
    ProblemQuery(parameters): ProblemQuery<Parameters>,
) -> Result<Json<DeadLetterPage>, ReportsError> {
    let principal = caller.require(Scope::Admin)?;
    let page = Paging::<DeadLetterId>::new(parameters.limit, parameters.cursor.as_deref())?;
    let query = DeadLetterQuery {
        customer: Some(principal.customer_id),
        projection: parameters.projection,
        after: page.cursor.clone(),
        limit: page.rows(),
    };
    let mut items = dead_letters(&state.pool, &query).await?;
    let next_cursor = page.cut(&mut items, |item| item.id.clone());
    Ok(Json(DeadLetterPage { items, next_cursor }))
}
