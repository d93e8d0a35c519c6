use access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, ProblemPath, ServerProblems};
use domain::MemberId;
use domain::customer::{CustomerCommand, Permission};
use http::{HeaderMap, StatusCode};

use super::table;
use crate::customer::execute::execute;
use crate::documented::{IdProblems, MemberProblems};
use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;
use crate::tokens::revocation::revoke_excess;

/// Remove somebody
///
/// Ends the member's sessions at once, revokes the tokens that the member has issued, and makes useless the invitations
/// that the member made. Before somebody leaves whose tokens are in use, let somebody else rotate them. The last owner
/// stays.
#[utoipa::path(
    delete, path = "/v1/members/{id}", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The member's id.")),
    responses(
        (status = 204, description = "Removed."),
        IdProblems, MemberProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn remove_member(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManagePeople).await?;
    let member = MemberId(id.parse().map_err(|_| CustomersError::MemberNotFound)?);
    execute(&state, &principal, &headers, CustomerCommand::RemoveMember(member)).await?;
    table::forget(&state.pool, member).await?;
    revoke_excess(&state, &principal, &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}
