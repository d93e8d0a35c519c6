use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, Problem, ProblemJson, ProblemPath, ServerProblems};
use domain::MemberId;
use domain::customer::{CustomerCommand, Permission, Role, RoleChanged};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::remove_member::change;
use crate::answers::RoleName;
use crate::error::CustomersError;
use crate::members::{self, ListedMember};
use crate::state::AppState;
use crate::{excess, permissions};

/// What a member is there for, from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRole {
    /// The role.
    #[schema(value_type = RoleName)]
    role: Role,
}

/// The member as it is now.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedMember {
    /// Whose.
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
    security(("token" = []), ("basic" = []), ("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The member's id.")),
    request_body(content = ChangeRole, example = json!({"role": "auditor"})),
    responses(
        (status = 200, description = "Changed.", body = ChangedMember),
        (status = 404, description = "There is no such member.", body = Problem,
         content_type = "application/problem+json"),
        (status = 409, description = "It is the last owner.", body = Problem,
         content_type = "application/problem+json"),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn change_role(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<ChangeRole>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = &*caller.0;
    permissions::require(&state, principal, Permission::ManagePeople).await?;
    let id: uuid::Uuid = id.parse().map_err(|_| CustomersError::MemberNotFound)?;
    let member_id = MemberId(id);
    let command = CustomerCommand::ChangeRole(RoleChanged { member_id, role: body.role });
    change(&state, principal, &headers, command).await?;
    excess::revoke(&state, principal, &headers).await?;
    let member = members::find(&state.pool, principal.customer_id, member_id).await?;
    let member = member.ok_or(CustomersError::MemberNotFound)?;
    Ok(Json(ChangedMember { customer_id: principal.customer_id.0, member }))
}
