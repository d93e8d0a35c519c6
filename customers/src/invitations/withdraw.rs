use access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemPath, ServerProblems};
use domain::customer::Permission;
use http::StatusCode;

use super::table;
use crate::documented::IdProblems;
use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;

/// Withdraw an invitation
///
/// Its link is good no more.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The invitation's id.")),
    responses(
        (status = 204, description = "Withdrawn."),
        (status = 404, description = "No such invitation waits.", body = Problem),
        IdProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn withdraw_invitation(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManagePeople).await?;
    let id = id.parse().map_err(|_| CustomersError::InvitationNotFound)?;
    if table::withdraw(&state.pool, principal.customer_id, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(CustomersError::InvitationNotFound)
    }
}
