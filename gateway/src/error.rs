use axum::response::{IntoResponse, Response};
use chassis::{Problem, UpstreamError};
use domain::token::SecretFault;
use http::StatusCode;

use crate::allowance::Allowance;
use crate::routes::Target;

/// Why the gateway itself answers with an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    /// There is no such path.
    #[error("nothing has this path")]
    NotFound,
    /// The path does not have this method.
    #[error("the path has other methods")]
    MethodNotAllowed,
    /// Too many requests are in flight.
    #[error("too many requests are in flight")]
    Overloaded,
    /// The token, the person or the customer makes too many requests.
    #[error("too many requests")]
    TooManyRequests {
        /// When to try again, in seconds.
        retry_after_s: u64,
        /// For the response's headers.
        allowance: Allowance,
    },
    /// The client's body broke off or is not framed as HTTP asks.
    #[error("the body broke off")]
    BodyBroken,
    /// The credential in `Authorization` is no token.
    #[error("the token is malformed")]
    TokenMalformed,
    /// The session is unknown, has expired or has been ended.
    #[error("the session has ended")]
    SessionExpired,
    /// A write with a cookie came without the session's CSRF token.
    #[error("the csrf token is missing or wrong")]
    CsrfTokenMissing,
    /// A service did not answer as it should.
    #[error("{service}: {error}")]
    Upstream {
        /// The service that was called.
        service: Target,
        /// Why the call failed.
        error: UpstreamError,
    },
    /// A service's answer about a session makes no sense.
    #[error("{0}")]
    Internal(&'static str),
}

/// When to try again a service that cannot be reached.
const UNAVAILABLE_RETRY_AFTER_S: u64 = 2;
/// When to try again a gateway that is full.
const OVERLOADED_RETRY_AFTER_S: u64 = 1;

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::NotFound => {
                Problem::not_found("not-found").with_detail("Nothing is here; /docs lists what there is.")
            }
            GatewayError::MethodNotAllowed => {
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
                    .with_detail("This path has other methods; the allow header lists them.")
            }
            GatewayError::Overloaded => Problem::unavailable("overloaded", OVERLOADED_RETRY_AFTER_S)
                .with_detail("Too many requests are in flight; nothing of this one was done."),
            GatewayError::TooManyRequests { retry_after_s, .. } => {
                let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited").with_detail(
                    "Too many requests a second; nothing of this one was done. The ratelimit-policy header has the \
                     numbers. Send activities in batches: a batch is one request.",
                );
                problem.retry_after_s = Some(retry_after_s);
                problem
            }
            GatewayError::BodyBroken => Problem::bad_request("unreadable-body")
                .with_detail("The body broke off or is not framed as its headers say."),
            GatewayError::TokenMalformed => {
                Problem::unauthorized("token-malformed").with_detail(SecretFault::ADVICE)
            }
            GatewayError::SessionExpired => Problem::unauthorized("session-expired")
                .with_detail("The session has ended; log in again with POST /v1/session."),
            GatewayError::CsrfTokenMissing => Problem::forbidden("csrf-token-missing").with_detail(
                "A write with the session cookie must send the csrf_token that GET /v1/session answers as x-csrf-token.",
            ),
            GatewayError::Upstream { service, error } => from_upstream(service, &error),
            GatewayError::Internal(cause) => Problem::internal(cause),
        }
    }
}

/// Logs where the service is and what went wrong; the client learns neither.
fn from_upstream(service: Target, error: &UpstreamError) -> Problem {
    let kind = match error {
        UpstreamError::Unreachable(_) | UpstreamError::NotCalled => "unreachable",
        UpstreamError::TimedOut(_) => "timed-out",
        UpstreamError::Status(_) => "status",
        UpstreamError::Unreadable(_) => "unreadable",
    };
    metrics::counter!("daybook_gateway_upstream_errors_total", "upstream" => service.name(), "kind" => kind)
        .increment(1);
    tracing::warn!(upstream = service.name(), %error, "a service gave no usable answer");
    match error {
        UpstreamError::TimedOut(timeout) => Problem::new(StatusCode::GATEWAY_TIMEOUT, "service-timed-out")
            .with_detail(format!("{service} did not answer within {} s.", timeout.as_secs())),
        UpstreamError::Status(status) if status.is_client_error() => {
            Problem::internal(format_args!("{service} refused an internal question: {status}"))
        }
        UpstreamError::Unreadable(_) => Problem::internal(format_args!("{service} answered {error}")),
        UpstreamError::Unreachable(_) | UpstreamError::NotCalled | UpstreamError::Status(_) => {
            Problem::unavailable("service-unavailable", UNAVAILABLE_RETRY_AFTER_S)
                .with_detail(format!("{service} is not reachable; it comes back by itself."))
        }
    }
}

impl GatewayError {
    /// The problem, with the request as its `instance`.
    pub(crate) fn into_named_response(self, instance: Option<String>) -> Response {
        let left = match &self {
            Self::TooManyRequests { allowance, .. } => Some(allowance.clone()),
            _ => None,
        };
        let mut response = Problem { instance, ..Problem::from(self) }.into_response();
        if let Some(left) = left {
            left.write(response.headers_mut());
        }
        response
    }
}

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        self.into_named_response(None)
    }
}
