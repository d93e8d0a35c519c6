use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::response::IntoResponse;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{SEGMENT_BYTES_MAX, in_words, of_parameter, text};
use crate::problem::Problem;

/// The parameters of a path: one value, a tuple, or a struct with a field for each.
///
/// Use it with `String` for an id whose absence is a 404 of its own: what can be no id is that of nothing.
#[derive(Clone, Copy, Debug)]
pub struct ProblemPath<T>(pub T);

/// The same, where a parameter may be any text without NUL, as the name of an actor may.
#[derive(Clone, Copy, Debug)]
pub struct AnyPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for ProblemPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        read(parts, state, text::without_control_characters).await.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for AnyPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        read(parts, state, text::without_nul).await.map(Self)
    }
}

async fn read<S: Send + Sync, T: DeserializeOwned + Send>(
    parts: &mut Parts,
    state: &S,
    check: fn(&str) -> Result<(), &'static str>,
) -> Result<T, Problem> {
    let segments = RawPathParams::from_request_parts(parts, state).await.map_err(unreadable)?;
    for (name, value) in &segments {
        let fault = if value.len() > SEGMENT_BYTES_MAX { Err("is too long") } else { check(value) };
        fault.map_err(|fault| of_parameter("invalid-path", name, fault.to_owned()))?;
    }
    let Path(value) = Path::from_request_parts(parts, state).await.map_err(|rejection| {
        let reason = rejection.body_text();
        let reason = reason.strip_prefix("Invalid URL: ").unwrap_or(&reason);
        Problem::bad_request("invalid-path").with_detail(format!("The path: {}.", in_words(reason)))
    })?;
    Ok(value)
}

fn unreadable(rejection: RawPathParamsRejection) -> Problem {
    match rejection {
        RawPathParamsRejection::InvalidUtf8InPathParam(fault) => Problem::bad_request("invalid-path")
            .with_detail(format!("A part of the path is not UTF-8: {}.", fault.body_text())),
        other => {
            Problem::internal(format_args!("a path without parameters: {}", other.into_response().status()))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn ask(path: &str) -> (u16, String) {
        let text = |ProblemPath(id): ProblemPath<String>| async move { id };
        let number = |ProblemPath(n): ProblemPath<u32>| async move { n.to_string() };
        let router = Router::new().route("/text/{id}", get(text)).route("/number/{n}", get(number));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let problem: Option<Problem> = serde_json::from_str(&text).ok().filter(|_| status != 200);
        (status, problem.map_or(text, |problem| format!("{} {}", problem.kind, problem.detail.unwrap())))
    }

    #[tokio::test]
    async fn a_part_of_a_path_is_decoded() {
        assert_eq!(ask("/text/a%2Fb%20%C3%A9+").await, (200, "a/b é+".to_owned()));
        assert_eq!(ask("/number/7").await, (200, "7".to_owned()));
    }

    #[tokio::test]
    async fn where_any_text_may_be_only_nul_is_refused() {
        let name = |AnyPath(name): AnyPath<String>| async move { name };
        let router = Router::new().route("/name/{name}", get(name));
        for (path, status) in [("/name/a%0Ab%2F%01", 200), ("/name/a%00", 400), ("/name/%FF", 400)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status().as_u16(), status, "{path}");
        }
    }

    #[tokio::test]
    async fn text_that_no_service_can_take_is_refused_by_name() {
        for (path, expected) in [
            ("/text/a%00b", "The parameter id contains a NUL character."),
            ("/text/%0d%0a", "The parameter id contains a control character."),
            ("/number/x", "The path: Cannot parse `x` to a `u32`."),
        ] {
            let (status, text) = ask(path).await;
            assert_eq!((status, text), (400, format!("/problems/invalid-path {expected}")), "{path}");
        }
        let (status, text) = ask("/text/%FF").await;
        assert!(status == 400 && text.starts_with("/problems/invalid-path"), "{status} {text}");
        assert_eq!(ask(&format!("/text/{}", "x".repeat(SEGMENT_BYTES_MAX + 1))).await.0, 400);
    }
}
