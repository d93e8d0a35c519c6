//! The parts of answers that several routes share, and the problems that they document.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chassis::Problem;
use chrono::{DateTime, Utc};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::{IntoParams, IntoResponses, ToSchema};

/// How far the answer takes history into account.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct AsOf {
    /// Every activity up to this position of the customer's history is in it, and none after.
    pub(crate) position: i64,
    /// When the event at this position was recorded; none while there is none.
    #[schema(required)]
    pub(crate) time: Option<DateTime<Utc>>,
}

/// What may come where a report or a list was asked for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum NoAnswer {
    /// The answer shows what the client knows already.
    #[response(status = 304)]
    Known,
    /// The position that was waited for has not come; the answer is what there is.
    #[response(status = 504)]
    NotYet(Problem),
}

/// What the client knows.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only documents the header")]
pub(crate) struct KnownAnswer {
    /// The `ETag` of the answer that is known.
    #[param(rename = "If-None-Match")]
    tag: Option<String>,
}

/// Why nothing became of a dead letter.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum DeadLetterProblems {
    /// There is no such dead letter.
    #[response(status = 404)]
    NotFound(Problem),
    /// It waits behind another one, cannot be folded, or is just being rebuilt; `type` and `detail` say which.
    #[response(status = 409)]
    Conflict(Problem),
}

/// Names the state that an answer shows (RFC 9110, section 8.8.3). Weak, since `lag_ms` goes on while it stays the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag(pub(crate) String);

impl EntityTag {
    /// Whether the client has this state already (RFC 9110, section 13.1.2).
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let ours = opaque(&self.0);
        headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || opaque(tag) == ours)
    }

    /// The tag, and that it is asked for each time.
    pub(crate) fn headers(&self) -> [(http::HeaderName, HeaderValue); 2] {
        let tag = HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("W/\"\""));
        [(ETAG, tag), (CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))]
    }

    /// 304: the client has it.
    pub(crate) fn not_modified(&self) -> Response {
        (StatusCode::NOT_MODIFIED, self.headers()).into_response()
    }

    /// 200 with the tag.
    pub(crate) fn answer(&self, body: impl Serialize) -> Response {
        (self.headers(), Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_recognised_in_every_form() {
        let tag = EntityTag("W/\"1-7-ab\"".to_owned());
        for (header, known) in [
            ("W/\"1-7-ab\"", true),
            ("\"1-7-ab\"", true),
            ("\"x\", W/\"1-7-ab\"", true),
            ("*", true),
            ("W/\"1-8-ab\"", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, header.parse().unwrap())]);
            assert_eq!(tag.is_known(&headers), known, "{header}");
        }
        assert!(!tag.is_known(&HeaderMap::new()));
    }
}
