use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The header that carries a request's id through every service.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The request's id, if it has one.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(REQUEST_ID_HEADER)?.to_str().ok()
}

/// A fault of one field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What is wrong.
    pub detail: String,
}

/// An error as a client sees it: `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable name of the kind of problem, relative to the documentation: `/problems/activity-id-reused`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(value_type = u16)]
    #[serde(with = "status")]
    pub status: StatusCode,
    /// What happened this time, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request, as `urn:daybook:request:<x-request-id>`; set at the public door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// For a rejected body: each fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// When to try again, in seconds; sent as `Retry-After`.
    #[serde(skip)]
    #[schema(ignore)]
    pub retry_after_s: Option<u64>,
}

/// Lets handlers return an error that becomes a [`Problem`], and lets `?` turn a problem that is ready, such as that of a
/// caller who is not let in, into its variant `Caller`.
#[macro_export]
macro_rules! returned_as_problem {
    ($error:ty) => {
        impl axum::response::IntoResponse for $error {
            fn into_response(self) -> axum::response::Response {
                $crate::Problem::from(self).into_response()
            }
        }

        impl From<$crate::Problem> for $error {
            fn from(problem: $crate::Problem) -> Self {
                Self::Caller(problem)
            }
        }
    };
}

mod status {
    use http::StatusCode;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(status.as_u16())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        StatusCode::from_u16(u16::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Problem {
    /// A problem of a kind: its stable name in kebab-case gives the title too.
    #[must_use]
    pub fn new(status: StatusCode, kind: &str) -> Self {
        let mut title = kind.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self {
            kind: format!("/problems/{kind}"),
            title,
            status,
            detail: None,
            instance: None,
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(kind: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind)
    }

    /// 401.
    #[must_use]
    pub fn unauthorized(kind: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, kind)
    }

    /// 403.
    #[must_use]
    pub fn forbidden(kind: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, kind)
    }

    /// 404.
    #[must_use]
    pub fn not_found(kind: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind)
    }

    /// 409.
    #[must_use]
    pub fn conflict(kind: &str) -> Self {
        Self::new(StatusCode::CONFLICT, kind)
    }

    /// 422 with a fault for each field.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-content");
        problem.errors = errors;
        problem
    }

    /// 503 with `Retry-After`.
    #[must_use]
    pub fn unavailable(kind: &str, retry_after_s: u64) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, kind);
        problem.retry_after_s = Some(retry_after_s);
        problem
    }

    /// 500. The cause is logged here and is not in the response.
    pub fn internal(cause: impl Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error")
            .with_detail("Something went wrong on our side; the request id tells us where.")
    }

    /// Each fault as a list: where none is named, the whole is at fault.
    #[must_use]
    pub fn into_faults(self) -> Vec<FieldError> {
        if self.errors.is_empty() {
            let detail = self.detail.unwrap_or(self.title);
            return vec![FieldError { pointer: String::new(), detail }];
        }
        self.errors
    }

    /// Says what happened this time.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"daybook\""));
        }
        response
    }
}
