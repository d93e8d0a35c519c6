use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, PageParameters, Paging, ProblemQuery, QueryProblems, ServerProblems};
use chrono::Utc;
use domain::customer::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::invitations::{self, InvitationAnswer};
use crate::permissions;
use crate::state::AppState;

/// A page of invitations.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationPage {
    /// Whose.
    customer_id: Uuid,
    /// In the order in which they were made.
    items: Vec<InvitationAnswer>,
    /// For the next page, if there is one.
    next_cursor: Option<String>,
}

/// List invitations
///
/// Those that wait to be accepted; never a link.
#[utoipa::path(
    get, path = "/v1/invitations", tag = "people", security(("token" = []), ("basic" = []), ("session" = [])),
    params(PageParameters),
    responses(
        (status = 200, description = "A page.", body = InvitationPage),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_invitations(
    State(state): State<AppState>,
    caller: Caller,
    ProblemQuery(parameters): ProblemQuery<PageParameters>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManagePeople).await?;
    let page = Paging::try_from(parameters)?;
    let (customer, now) = (principal.customer_id, Utc::now());
    let mut items = invitations::list(&state.pool, customer, page.cursor, page.rows(), now).await?;
    let next_cursor = page.cut(&mut items, |invitation| invitation.id);
    Ok(Json(InvitationPage { customer_id: customer.0, items, next_cursor }))
}
