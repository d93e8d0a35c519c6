//! The gateway: what holds for every route.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{http, send, shared};

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let api = shared().anonymous();
    for path in
        ["/v1", "/v1/nothing", "/nothing", "/internal/tokens/validate", "/assets/nothing.js", "/v1/reports"]
    {
        let problem = api.get(path).await.problem(404, "not-found");
        assert!(problem["detail"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_a_problem() {
    let api = shared().anonymous();
    for (method, path) in [
        (Method::PUT, "/v1/activities"),
        (Method::PUT, "/v1/activities/batch"),
        (Method::POST, "/v1/history"),
        (Method::PATCH, "/v1/tokens"),
        (Method::POST, "/openapi.json"),
    ] {
        let answer = send(api.request(method.clone(), path)).await;
        answer.problem(405, "method-not-allowed");
        assert!(!answer.header("allow").is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let api = shared().anonymous();
    let given = send(api.request(Method::GET, "/healthz").header("x-request-id", "mine-1")).await;
    assert_eq!(given.header("x-request-id"), "mine-1");
    let [one, other] = [api.get("/healthz").await, api.get("/healthz").await];
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    let long = "x".repeat(1_000);
    let answer = send(api.request(Method::GET, "/v1/nothing").header("x-request-id", &long)).await;
    assert_ne!(answer.header("x-request-id"), long);
    answer.problem(404, "not-found");
}

#[tokio::test]
async fn a_traceparent_is_taken() {
    let api = shared().anonymous();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = send(api.request(Method::GET, "/healthz").header("traceparent", trace)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn it_is_alive_and_ready() {
    let api = shared().anonymous();
    assert_eq!(api.get("/healthz").await.status, 200);
    let ready = api.get("/readyz").await.json(200);
    assert_eq!(ready["missing"].as_array().map_or(0, Vec::len), 0, "{ready}");
}

#[tokio::test]
async fn metrics_are_read_inside_and_not_through_the_gateway() {
    let api = shared().anonymous();
    api.get("/metrics").await.problem(404, "not-found");
    shared().customer().await.api.record(&serde_json::json!({"type": "a", "actor": "b"})).await;
    let metrics = http().get(&shared().metrics_url).send().await.unwrap();
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = metrics.text().await.unwrap();
    for name in [
        "daybook_http_request_duration_seconds",
        "daybook_activities_recorded_total",
        "daybook_append_batch_events",
    ] {
        assert!(text.contains(name), "{name} is missing");
    }
}

/// What a path may have beside parameters.
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The documented operations, as method and path.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let documented = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().keys().filter(|key| METHODS.contains(&key.as_str()));
        operations.map(move |method| (method.to_uppercase(), path.clone()))
    });
    documented.collect()
}

#[tokio::test]
async fn one_document_describes_everything_and_everything_in_it_is_there() {
    let api = shared().anonymous();
    let document = api.get("/openapi.json").await.json(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let operations = operations(&document);
    for (method, path) in [
        ("POST", "/v1/activities"),
        ("POST", "/v1/activities/batch"),
        ("GET", "/v1/activities"),
        ("GET", "/v1/activities/{id}"),
        ("PATCH", "/v1/activities/{id}"),
        ("DELETE", "/v1/activities/{id}"),
        ("GET", "/v1/history"),
        ("GET", "/v1/history/{aggregate_id}"),
        ("POST", "/v1/customers"),
        ("POST", "/v1/session"),
        ("GET", "/v1/session"),
        ("DELETE", "/v1/session"),
        ("GET", "/v1/tokens"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/tokens/{id}/rotate"),
        ("GET", "/v1/tokens/{id}/history"),
        ("GET", "/v1/members"),
        ("POST", "/v1/members"),
        ("PATCH", "/v1/members/{id}"),
        ("POST", "/v1/invitations/accept"),
        ("GET", "/v1/sessions"),
        ("GET", "/v1/reports/activity"),
        ("GET", "/v1/reports/active-users"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    ] {
        assert!(
            operations.contains(&(method.to_owned(), path.to_owned())),
            "{method} {path} is not documented"
        );
    }
    for (method, path) in operations {
        let place = path.replace(['{', '}'], "");
        let answer = send(api.request(method.parse().unwrap(), &place)).await;
        assert!(!matches!(answer.status, 404 | 405 | 500..), "{method} {path} is not there: {}", answer.text);
    }
}

#[tokio::test]
async fn every_problem_that_is_documented_is_a_problem() {
    let document = shared().anonymous().get("/openapi.json").await.json(200);
    for (path, item) in
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1"))
    {
        for (method, operation) in item.as_object().unwrap() {
            let Some(responses) = operation["responses"].as_object() else { continue };
            for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
                let content = response["content"].as_object().unwrap();
                assert!(content.contains_key("application/problem+json"), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_dashboard_and_the_documents_are_pages() {
    let api = shared().anonymous();
    for path in ["/", "/docs", "/tokens", "/people", "/sessions", "/join"] {
        let answer = send(api.request(Method::GET, path).header("accept", "text/html")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.text.contains("<html"), "{path}: {}", answer.text);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
