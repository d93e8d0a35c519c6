use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, PageParameters, Paging, ProblemQuery, QueryProblems, ServerProblems};
use domain::customer::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::members::{self, ListedMember};
use crate::permissions;
use crate::state::AppState;

/// A page of people.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberPage {
    /// Whose.
    customer_id: Uuid,
    /// In the order of their ids.
    items: Vec<ListedMember>,
    /// For the next page, if there is one.
    next_cursor: Option<String>,
}

/// List people
///
/// The customer's people and their roles.
#[utoipa::path(
    get, path = "/v1/members", tag = "people", security(("token" = []), ("basic" = []), ("session" = [])),
    params(PageParameters),
    responses(
        (status = 200, description = "A page.", body = MemberPage),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_members(
    State(state): State<AppState>,
    caller: Caller,
    ProblemQuery(parameters): ProblemQuery<PageParameters>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::SeePeople).await?;
    let page = Paging::try_from(parameters)?;
    let mut items = members::list(&state.pool, principal.customer_id, page.cursor, page.rows()).await?;
    let next_cursor = page.cut(&mut items, |member| member.id);
    Ok(Json(MemberPage { customer_id: principal.customer_id.0, items, next_cursor }))
}
