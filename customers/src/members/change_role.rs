use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, ProblemJson, ProblemPath, ServerProblems};
use domain::MemberId;
use domain::customer::{CustomerCommand, Permission, Role, RoleChanged};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::table::{self, ListedMember};
use crate::customer::execute::execute;
use crate::documented::{MemberProblems, RoleName};
use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;
use crate::tokens::revocation::revoke_excess;

/// The new role of a member.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRole {
    /// The role, which says what the member may do.
    #[schema(value_type = RoleName)]
    role: Role,
}

/// The member as it is now.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedMember {
    /// The customer's id.
    customer_id: Uuid,
    #[serde(flatten)]
    member: ListedMember,
}

/// Change a role
///
/// Counts for the member's sessions too, within a second. Tokens that the member has issued, or a token of the member's,
/// are revoked if the new role could not issue them. The last owner stays owner.
#[utoipa::path(
    patch, path = "/v1/members/{id}", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The member's id.")),
    request_body(content = ChangeRole, example = json!({"role": "auditor"})),
    responses(
        (status = 200, description = "Changed.", body = ChangedMember),
        MemberProblems, BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn change_role(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<ChangeRole>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManagePeople).await?;
    let member_id = MemberId(id.parse().map_err(|_| CustomersError::MemberNotFound)?);
    let command = CustomerCommand::ChangeRole(RoleChanged { member_id, role: body.role });
    execute(&state, &principal, &headers, command).await?;
    revoke_excess(&state, &principal, &headers).await?;
    let member = table::find(&state.pool, principal.customer_id, member_id).await?;
    let member = member.ok_or(CustomersError::MemberNotFound)?;
    Ok(Json(ChangedMember { customer_id: principal.customer_id.0, member }))
}
