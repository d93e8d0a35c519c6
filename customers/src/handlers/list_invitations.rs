use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemQuery, ServerProblems};
use chrono::Utc;
use domain::customer::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::invitations::{self, InvitationAnswer};
use crate::pages::{Asked, Page};
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
    params(Page),
    responses(
        (status = 200, description = "A page.", body = InvitationPage),
        (status = 400, description = "The query string does not keep the rules.", body = Problem,
         content_type = "application/problem+json"),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_invitations(
    State(state): State<AppState>,
    caller: Caller,
    ProblemQuery(page): ProblemQuery<Page>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManagePeople).await?;
    let asked = Asked::of(page)?;
    let (customer, now) = (principal.customer_id, Utc::now());
    let mut items = invitations::list(&state.pool, customer, asked.cursor, asked.rows(), now).await?;
    let next_cursor = asked.cut(&mut items, |invitation| invitation.id);
    Ok(Json(InvitationPage { customer_id: customer.0, items, next_cursor }))
}
