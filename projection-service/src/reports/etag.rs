//! The `ETag` of a report, and whether the client has the report already.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// The entity tag of a response (RFC 9110, section 8.8.3). It is weak, because `lag_ms` may differ between equal tags.
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

    /// The headers of the response: the tag, and that a cache must revalidate it each time.
    pub(crate) fn headers(&self) -> [(http::HeaderName, HeaderValue); 2] {
        let tag = HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("W/\"\""));
        [(ETAG, tag), (CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))]
    }

    /// 304, for a client that has this state.
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
