use domain::token::Scopes;
use serde::Serialize;
use utoipa::ToSchema;

use super::secret::SessionSecret;
use super::table::Session;
use crate::customer::answer::CustomerAnswer;
use crate::documented::ScopeName;
use crate::members::answer::MemberAnswer;

/// Who is logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionAnswer {
    /// The member's customer.
    pub(crate) customer: CustomerAnswer,
    /// The member who is logged in.
    pub(crate) member: MemberAnswer,
    /// What the member may do.
    #[schema(value_type = Vec<ScopeName>)]
    pub(crate) scopes: Scopes,
    /// To be sent as `x-csrf-token` with every write that has the cookie.
    pub(crate) csrf_token: String,
}

impl SessionAnswer {
    pub(crate) fn new(session: Session, secret: &SessionSecret) -> Self {
        let Session { customer_id, customer_name, time_zone, member_id, email, role, .. } = session;
        Self {
            customer: CustomerAnswer { id: customer_id.0, name: customer_name, time_zone: time_zone.name() },
            member: MemberAnswer { id: member_id.0, email, role },
            scopes: role.scopes(),
            csrf_token: secret.csrf_token(),
        }
    }
}
