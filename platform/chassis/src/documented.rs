//! Problems that many routes return, for their documentation only.

use utoipa::IntoResponses;

use crate::problem::Problem;

/// What can be wrong with a query string.
#[derive(Debug, IntoResponses)]
pub enum QueryProblems {
    /// The query string does not keep the rules.
    #[response(status = 400)]
    InvalidQuery(Problem),
}

/// What can be wrong with the parameters of a report.
#[derive(Debug, IntoResponses)]
pub enum ParameterProblems {
    /// A parameter asks for something that there is not, or for too much; `errors` names it.
    #[response(status = 422)]
    InvalidParameter(Problem),
}

/// What can be wrong with any body.
#[derive(Debug, IntoResponses)]
pub enum BodyProblems {
    /// The body is not JSON, or broke off.
    #[response(status = 400)]
    Malformed(Problem),
    /// The body did not arrive in time.
    #[response(status = 408)]
    TooSlow(Problem),
    /// The body is too large, after decompression.
    #[response(status = 413)]
    TooLarge(Problem),
    /// The body is neither JSON nor in an encoding that is understood.
    #[response(status = 415)]
    NotJson(Problem),
    /// The body does not keep the rules; `errors` names each fault.
    #[response(status = 422)]
    Invalid(Problem),
}

/// Why a caller is not let in.
#[derive(Debug, IntoResponses)]
pub enum CallerProblems {
    /// No token and no session, or one that is not valid.
    #[response(status = 401)]
    Unauthorized(Problem),
    /// The caller lacks the scope, or a write with the cookie came without its CSRF token.
    #[response(status = 403)]
    Forbidden(Problem),
}

/// What can go wrong on our side.
#[derive(Debug, IntoResponses)]
pub enum ServerProblems {
    /// Something went wrong on our side.
    #[response(status = 500)]
    Internal(Problem),
    /// Not now; `Retry-After` says when to try again.
    #[response(status = 503)]
    Unavailable(Problem),
}
