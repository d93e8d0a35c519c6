//! The parts of answers that several routes share.

use domain::customer::Role;
use domain::token::Scopes;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::sessions::{Session, SessionSecret};

/// What a caller may do.
#[derive(ToSchema)]
#[schema(as = Scope, rename_all = "snake_case")]
#[expect(dead_code, reason = "only documents the names")]
pub(crate) enum ScopeName {
    Ingest,
    Read,
    Audit,
    Admin,
}

/// What one of a customer's people is there for.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
#[expect(dead_code, reason = "only documents the names")]
pub(crate) enum RoleName {
    Owner,
    Engineer,
    Analyst,
    Auditor,
}

/// One of a customer's people.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberAnswer {
    /// Who.
    pub(crate) id: Uuid,
    /// The address, in lower case.
    #[schema(example = "ada@example.com")]
    pub(crate) email: String,
    /// What for.
    #[schema(value_type = RoleName)]
    pub(crate) role: Role,
}

/// The tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerAnswer {
    /// The customer.
    pub(crate) id: Uuid,
    /// Its name.
    #[schema(example = "Ledger & Co")]
    pub(crate) name: String,
    /// IANA name of the zone in which its days begin and end.
    #[schema(example = "Europe/Berlin")]
    pub(crate) time_zone: &'static str,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionAnswer {
    /// For whom.
    pub(crate) customer: CustomerAnswer,
    /// Who.
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
