//! The `ETag` of reports and lists, and whether the client has the answer already.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::view::View;

/// The lag is part of the tag in steps of so many milliseconds, so that a 304 never hides more of it.
const LAG_STEP_MS: i64 = 2_000;

/// The entity tag of an answer (RFC 9110, section 8.8.3). It is weak, because `lag_ms` changes under the same tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag(String);

impl EntityTag {
    /// The tag of what a view answers to a request.
    pub(crate) fn of(view: &View, request: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (view.customer, view.version, view.folded, view.lag_ms / LAG_STEP_MS, request).hash(&mut hasher);
        Self(format!("W/\"{}-{}-{:016x}\"", view.generation, view.as_of.position, hasher.finish()))
    }

    /// Whether `If-None-Match` has this tag (RFC 9110, section 13.1.2).
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

    /// The headers of an answer with this tag; caches must revalidate it each time.
    pub(crate) fn headers(&self) -> [(http::HeaderName, HeaderValue); 2] {
        let tag = HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("W/\"\""));
        [(ETAG, tag), (CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))]
    }

    /// The response 304, without a body.
    pub(crate) fn not_modified(&self) -> Response {
        (StatusCode::NOT_MODIFIED, self.headers()).into_response()
    }

    /// The response 200 with the tag and a JSON body.
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
