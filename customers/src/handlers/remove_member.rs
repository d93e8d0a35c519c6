use access::{Caller, Cause, Principal};
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemPath, ServerProblems};
use domain::MemberId;
use domain::customer::{CustomerCommand, CustomerError, Permission};
use event_store::ExecuteError;
use http::{HeaderMap, StatusCode};

use crate::error::CustomersError;
use crate::state::AppState;
use crate::{excess, members, permissions};

/// Remove somebody
///
/// Ends the member's sessions at once, revokes the tokens that the member has issued, and makes useless the invitations
/// that the member made. Before somebody leaves whose tokens are in use, let somebody else rotate them. The last owner
/// stays.
#[utoipa::path(
    delete, path = "/v1/members/{id}", tag = "people",
    security(("token" = []), ("basic" = []), ("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The member's id.")),
    responses(
        (status = 400, description = "The id has a character that no id has.", body = Problem,
         content_type = "application/problem+json"),
        (status = 204, description = "Removed."),
        (status = 404, description = "There is no such member.", body = Problem,
         content_type = "application/problem+json"),
        (status = 409, description = "It is the last owner.", body = Problem,
         content_type = "application/problem+json"),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn remove_member(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManagePeople).await?;
    let id: uuid::Uuid = id.parse().map_err(|_| CustomersError::MemberNotFound)?;
    let member = MemberId(id);
    change(&state, principal, &headers, CustomerCommand::RemoveMember(member)).await?;
    members::forget(&state.pool, member).await?;
    excess::revoke(&state, principal, &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Carries out a command on the caller's own customer, and folds what came of it.
pub(super) async fn change(
    state: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
    command: CustomerCommand,
) -> Result<(), CustomersError> {
    let (stream, cause) = (principal.customer_id.to_string(), Cause::request(headers, principal.subject));
    match state.customers.execute(&stream, command, cause.into()).await {
        Ok(()) => Ok(state.projection.catch_up().await?),
        Err(ExecuteError::Refused(CustomerError::NoSuchMember)) => Err(CustomersError::MemberNotFound),
        Err(ExecuteError::Refused(CustomerError::LastOwner)) => Err(CustomersError::LastOwner),
        Err(error) => Err(error.into()),
    }
}
