//! What pages of other origins are told.

use axum::Router;
use axum::response::IntoResponse;
use chassis::Upstream;
use http::{HeaderMap, StatusCode};

use super::{bearer, config, door, request, send, witnessed};
use crate::Config;

const PAGE: &str = "https://example.com";

fn allowed(headers: &HeaderMap) -> Option<&str> {
    assert!(!headers.contains_key("access-control-allow-credentials"));
    headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap())
}

#[tokio::test]
async fn what_a_browser_asks_first_is_answered_here_and_for_recording_alone() {
    let (door, witness) = witnessed();
    let ask = |path: &str| {
        request("OPTIONS", path).header("origin", PAGE).header("access-control-request-method", "POST")
    };
    for path in ["/v1/activities", "/v1/activities/batch", "/batch/", "/v1/t", "/e/", "/array/a/config"] {
        let answer = send(&door, ask(path).header("access-control-request-headers", "content-type")).await;
        assert_eq!(
            (answer.status(), allowed(answer.headers())),
            (StatusCode::NO_CONTENT, Some(PAGE)),
            "{path}"
        );
        assert_eq!(answer.headers()["access-control-allow-headers"], "content-type");
        assert_eq!(answer.headers()["access-control-allow-methods"], "GET, POST");
    }
    for path in ["/v1/activities/stream", "/v1/activities/a", "/v1/history", "/v1/tokens", "/v1/session"] {
        let answer = send(&door, ask(path)).await;
        assert_eq!(allowed(answer.headers()), None, "{path}");
    }
    assert_eq!(witness.count(), 0);
}

#[tokio::test]
async fn a_page_reads_what_a_service_admits_it_to_and_only_where_something_is_recorded() {
    let service = Router::new().fallback(|| async { [("x-daybook-allowed-origin", PAGE)].into_response() });
    let [activities, customers, reports] = [(); 3].map(|()| Upstream::Local(service.clone()));
    let door = door(Config { activities, customers, reports, ..config() });
    for (method, path, expected) in [
        ("POST", "/v1/activities", Some(PAGE)),
        ("POST", "/v1/activities/batch", Some(PAGE)),
        ("POST", "/v1/track", Some(PAGE)),
        ("POST", "/v1/logs", Some(PAGE)),
        ("GET", "/v1/activities", None),
        ("POST", "/v1/activities/stream", None),
        ("GET", "/v1/history", None),
        ("POST", "/v1/tokens", None),
    ] {
        let answer = send(&door, request(method, path).header("authorization", bearer(1))).await;
        assert_eq!(allowed(answer.headers()), expected, "{method} {path}");
        assert!(!answer.headers().contains_key("x-daybook-allowed-origin"), "{method} {path}");
        let varies = answer.headers().get("vary").is_some_and(|vary| vary == "origin");
        assert_eq!(varies, expected.is_some(), "{method} {path}");
    }
}

#[tokio::test]
async fn every_page_reads_what_is_the_same_for_everybody() {
    let (door, _) = witnessed();
    for (method, path) in
        [("GET", "/v1/projects/a/settings"), ("GET", "/array/a/config"), ("POST", "/flags/")]
    {
        let answer = send(&door, request(method, path).header("origin", PAGE)).await;
        assert_eq!(allowed(answer.headers()), Some(PAGE), "{method} {path}");
    }
}
