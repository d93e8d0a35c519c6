//! Tokens that everybody may read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Customer, eventually, send, shared};

const PAGE: &str = "https://example.com";

async fn issue(customer: &Customer, rate: u32) -> (Value, Api) {
    let body = json!({"name": "shop", "scopes": ["ingest"], "public": true, "allowed_origins": [PAGE], "rate": rate});
    let issued = customer.issue_with(&body).await.json(201);
    let api = customer.api.with_token(issued["token"].as_str().unwrap());
    (issued, api)
}

fn viewed() -> Value {
    json!({"type": "page.viewed", "actor": "ada"})
}

async fn record(api: &Api, origin: &str, body: &Value) -> Answer {
    send(api.request(Method::POST, "/v1/activities").header("origin", origin).json(body)).await
}

fn allowed(answer: &Answer) -> &str {
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn a_page_that_is_named_records_and_reads_the_answer() {
    let customer = shared().customer().await;
    let (issued, api) = issue(&customer, 1_000).await;
    assert_eq!((&issued["public"], &issued["rate"]), (&json!(true), &json!(1_000)));
    assert_eq!(customer.api.get("/v1/tokens").await.json(200)["items"][0]["allowed_origins"], json!([PAGE]));

    let ask = api.request(Method::OPTIONS, "/v1/activities/batch").header("origin", PAGE);
    let ask = ask.header("access-control-request-method", "POST");
    let preflight = send(ask.header("access-control-request-headers", "authorization,content-type")).await;
    assert_eq!((preflight.status, allowed(&preflight)), (204, PAGE));
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization,content-type");

    let answer = record(&api, PAGE, &viewed()).await;
    assert_eq!((answer.status, allowed(&answer)), (202, PAGE), "{}", answer.text);
    assert!(answer.header("access-control-expose-headers").contains("retry-after"));
    // An error is the page's to read too.
    let answer = record(&api, PAGE, &json!({"type": "page.viewed"})).await;
    assert_eq!((answer.status, allowed(&answer)), (422, PAGE));
    // A program that people have names no page.
    api.record(&viewed()).await;
}

#[tokio::test]
async fn another_page_gets_nothing_and_a_secret_token_is_for_no_page() {
    let customer = shared().customer().await;
    let (_, api) = issue(&customer, 1_000).await;
    for origin in ["https://evil.example", "http://example.com", "null"] {
        let answer = record(&api, origin, &viewed()).await;
        answer.problem(403, "origin-not-allowed");
        assert_eq!(allowed(&answer), "", "{origin}");
    }
    let answer = record(&customer.api, PAGE, &viewed()).await;
    assert_eq!((answer.status, allowed(&answer)), (202, ""));
    let history = customer.api.get("/v1/history").await.json(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_client_in_a_page_shows_it_in_the_body() {
    let customer = shared().customer().await;
    let (issued, _) = issue(&customer, 1_000).await;
    let post = async |path: &str, origin: &str, body: Value| {
        send(shared().anonymous().request(Method::POST, path).header("origin", origin).json(&body)).await
    };
    let posthog = json!({"api_key": issued["token"], "batch": [{"event": "opened", "properties": {"distinct_id": "ada"}}]});
    let segment = json!({"writeKey": issued["token"], "event": "opened", "userId": "ada"});
    for (path, body) in [("/batch/", posthog), ("/v1/t", segment)] {
        let answer = post(path, PAGE, body.clone()).await;
        assert_eq!((answer.status, allowed(&answer)), (200, PAGE), "{path}: {}", answer.text);
        let answer = post(path, "https://evil.example", body).await;
        assert_eq!((answer.status, allowed(&answer)), (403, ""), "{path}: {}", answer.text);
    }
    let history = customer.api.get("/v1/history").await.json(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn it_records_and_does_nothing_else() {
    let customer = shared().customer().await;
    let (_, api) = issue(&customer, 1_000).await;
    let id = api.record(&viewed()).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/activities/{id}");
    for (method, path) in [
        (Method::GET, path.as_str()),
        (Method::PATCH, &path),
        (Method::DELETE, &path),
        (Method::POST, "/v1/activities/stream"),
        (Method::GET, "/v1/activities"),
        (Method::GET, "/v1/history"),
        (Method::GET, "/v1/reports/activity"),
        (Method::GET, "/v1/tokens"),
        (Method::POST, "/v1/tokens"),
        (Method::GET, "/v1/members"),
        (Method::GET, "/v1/ingest/rejections"),
        (Method::GET, "/v1/actors"),
    ] {
        // A body that the route would take.
        let body = if path == "/v1/tokens" { json!({"name": "x", "scopes": ["ingest"]}) } else { json!({}) };
        let request = api.request(method.clone(), path).header("origin", PAGE).json(&body);
        let answer = send(request).await;
        assert_eq!((answer.status, allowed(&answer)), (403, ""), "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn it_has_a_rate_of_its_own() {
    let customer = shared().customer().await;
    let (_, api) = issue(&customer, 1).await;
    eventually("the rate is used up", || async {
        let answer = record(&api, PAGE, &viewed()).await;
        assert_eq!(allowed(&answer), PAGE, "{}", answer.text);
        if answer.status == 202 {
            return None;
        }
        answer.problem(429, "rate-limited");
        assert!(!answer.header("retry-after").is_empty());
        Some(())
    })
    .await;
    customer.api.record(&viewed()).await;
}

#[tokio::test]
async fn its_successor_is_public_too_and_a_token_with_other_scopes_never_is() {
    let customer = shared().customer().await;
    let (issued, _) = issue(&customer, 7).await;
    let path = format!("/v1/tokens/{}/rotate", issued["id"].as_str().unwrap());
    let successor = customer.api.post(&path, &json!({"overlap_s": 0})).await.json(201);
    assert_eq!((&successor["allowed_origins"], &successor["rate"]), (&json!([PAGE]), &json!(7)));
    for (body, pointers) in [
        (json!({"scopes": ["read"], "public": true, "allowed_origins": [PAGE]}), vec!["/scopes"]),
        (json!({"scopes": ["ingest", "admin"], "public": true, "allowed_origins": [PAGE]}), vec!["/scopes"]),
        (json!({"scopes": ["ingest"], "public": true}), vec!["/allowed_origins"]),
        (
            json!({"scopes": ["ingest"], "public": true, "allowed_origins": [PAGE, "example.com/shop"], "rate": 0}),
            vec!["/allowed_origins/1", "/rate"],
        ),
        (
            json!({"scopes": ["ingest"], "allowed_origins": [PAGE], "rate": 1}),
            vec!["/allowed_origins", "/rate"],
        ),
    ] {
        let mut body = body;
        body["name"] = json!("x");
        assert_eq!(customer.issue_with(&body).await.pointers(), pointers, "{body}");
    }
}
