//! The parts of answers that several routes share, and the problems that they document.

use chassis::Problem;
use chrono::{DateTime, Utc};
use domain::Json;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// An activity as it now stands.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentActivity)]
pub(crate) struct ActivityAnswer {
    /// The client's id, or the one that was made.
    #[schema(example = "order-1042-paid")]
    pub(crate) id: String,
    /// What was done.
    #[serde(rename = "type")]
    #[schema(example = "order.paid")]
    pub(crate) activity_type: String,
    /// Who did it.
    #[schema(example = "ada")]
    pub(crate) actor: String,
    /// When it happened.
    pub(crate) occurred_at: DateTime<Utc>,
    /// An amount, a duration, a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    /// What the customer wants to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) properties: Option<Json>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) context: Option<Json>,
    /// How many events its stream has; also the `ETag`, for `If-Match`.
    pub(crate) sequence: u64,
    /// The partition in which its history lies.
    pub(crate) partition: u16,
    /// Position of the event that recorded it.
    pub(crate) position: i64,
    /// When it was recorded.
    pub(crate) recorded_at: DateTime<Utc>,
}

/// What can be wrong with any body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum BodyProblems {
    /// The body is not JSON, or broke off.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// The body is too large, after decompression.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is neither JSON nor in an encoding that is understood.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(Problem),
    /// The body does not keep the rules; `errors` names each fault.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}

/// Why a caller is not let in.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum CallerProblems {
    /// No token and no session, or one that lets nobody in.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The caller lacks the scope, or a write with the cookie came without its CSRF token.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
}

/// What can go wrong on our side.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum ServerProblems {
    /// Something went wrong on our side.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Overloaded, or the log cannot be reached; `Retry-After` says when to try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What can be wrong with a query string.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum QueryProblems {
    /// The query string does not keep the rules.
    #[response(status = 400, content_type = "application/problem+json")]
    InvalidQuery(Problem),
}

/// Why there is no activity to answer, or none to change.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum ActivityProblems {
    /// There is no such activity.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// It was redacted.
    #[response(status = 410, content_type = "application/problem+json")]
    Redacted(Problem),
}
