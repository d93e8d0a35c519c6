use access::Caller;
use axum::Json;
use axum::extract::State;
use chassis::{CallerProblems, PageParameters, Paging, ProblemQuery, QueryProblems, ServerProblems};
use domain::customer::Permission;
use domain::token::Scope;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ActivitiesError;
use crate::rejections::{ListedRejection, list};
use crate::state::AppState;

/// A page of rejections.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectionPage {
    /// Newest first.
    items: Vec<ListedRejection>,
    /// For the next page, as `cursor`; null at the end.
    next_cursor: Option<String>,
}

/// List what was rejected
///
/// The last 1,000 messages that were sent and are not recorded, with their reasons and where they came from: of native
/// batches and of foreign clients, newest first. It follows within a second. A burst of more than the list can take in is
/// counted in the metrics, and is complete in the answers to its requests.
#[utoipa::path(
    get, path = "/v1/ingest/rejections", tag = "activities",
    params(PageParameters),
    responses(
        (status = 200, description = "A page.", body = RejectionPage),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_rejections(
    State(state): State<AppState>,
    caller: Caller,
    ProblemQuery(parameters): ProblemQuery<PageParameters>,
) -> Result<Json<RejectionPage>, ActivitiesError> {
    if !Permission::SeeRejections.is_given_by(&caller.0.scopes) {
        caller.require(Scope::Read)?;
    }
    let paging = Paging::<i64>::try_from(parameters)?;
    let listed = list(state.rejections.pool(), caller.0.customer_id, &paging).await;
    let (items, next_cursor) = listed.map_err(|error| ActivitiesError::Unavailable(error.to_string()))?;
    Ok(Json(RejectionPage { items, next_cursor }))
}
