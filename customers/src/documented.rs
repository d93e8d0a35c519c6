//! Types that exist for the OpenAPI document alone: names that types of the domain have in JSON, and problems that several
//! routes share.
#![expect(dead_code, reason = "nothing makes a value of them")]

use chassis::Problem;
use utoipa::{IntoResponses, ToSchema};

/// What a caller may do.
#[derive(ToSchema)]
#[schema(as = Scope, rename_all = "snake_case")]
pub(crate) enum ScopeName {
    Ingest,
    Read,
    Audit,
    Admin,
}

/// What one of a customer's people is there for.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
pub(crate) enum RoleName {
    Owner,
    Engineer,
    Analyst,
    Auditor,
}

#[derive(IntoResponses)]
pub(crate) enum IdProblems {
    /// The id has a character that no id has.
    #[response(status = 400)]
    Unreadable(Problem),
}

#[derive(IntoResponses)]
pub(crate) enum SessionProblems {
    /// Not logged in.
    #[response(status = 401)]
    Missing(Problem),
}

#[derive(IntoResponses)]
pub(crate) enum CsrfProblems {
    /// The CSRF token is missing or wrong.
    #[response(status = 403)]
    Missing(Problem),
}

#[derive(IntoResponses)]
pub(crate) enum AttemptProblems {
    /// Too many attempts have failed; `Retry-After` says when to try again.
    #[response(status = 429)]
    TooMany(Problem),
}

#[derive(IntoResponses)]
pub(crate) enum MemberProblems {
    /// There is no such member.
    #[response(status = 404)]
    NotFound(Problem),
    /// It is the last owner.
    #[response(status = 409)]
    LastOwner(Problem),
}

#[derive(IntoResponses)]
pub(crate) enum TokenProblems {
    /// There is no such token.
    #[response(status = 404)]
    NotFound(Problem),
}
