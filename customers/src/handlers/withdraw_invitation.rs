use access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemPath, ServerProblems};
use domain::customer::Permission;
use http::StatusCode;

use crate::error::CustomersError;
use crate::invitations;
use crate::permissions;
use crate::state::AppState;

/// Withdraw an invitation
///
/// Its link is good no more.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", tag = "people",
    security(("token" = []), ("basic" = []), ("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The invitation's id.")),
    responses(
        (status = 400, description = "The id has a character that no id has.", body = Problem,
         content_type = "application/problem+json"),
        (status = 204, description = "Withdrawn."),
        (status = 404, description = "No such invitation waits.", body = Problem,
         content_type = "application/problem+json"),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn withdraw_invitation(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManagePeople).await?;
    let id: uuid::Uuid = id.parse().map_err(|_| CustomersError::InvitationNotFound)?;
    if invitations::withdraw(&state.pool, principal.customer_id, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(CustomersError::InvitationNotFound)
    }
}
