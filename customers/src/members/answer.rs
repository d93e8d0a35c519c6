use domain::customer::Role;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documented::RoleName;

/// One of a customer's people.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberAnswer {
    /// The member's id.
    pub(crate) id: Uuid,
    /// The address, in lower case.
    #[schema(example = "ada@example.com")]
    pub(crate) email: String,
    /// The role, which says what the member may do.
    #[schema(value_type = RoleName)]
    pub(crate) role: Role,
}
