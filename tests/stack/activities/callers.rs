use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::json;

use crate::support::{eventually, send, shared, within};

/// Well formed, with a right checksum, and never issued.
const UNKNOWN: &str = "dbk_00000000000000000000000000000000";

fn activity() -> serde_json::Value {
    json!({"type": "page.viewed", "actor": "ada"})
}

#[tokio::test]
async fn a_caller_without_a_token_is_not_let_in() {
    let answer = shared().anonymous().post("/v1/activities", &activity()).await;
    answer.problem(401, "token-missing");
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.headers);
}

#[tokio::test]
async fn what_is_no_token_is_refused_as_such() {
    let customer = shared().customer().await;
    // One character changed: the checksum tells.
    let mut typo = customer.token.clone();
    let last = if typo.ends_with('0') { "1" } else { "0" };
    typo.replace_range(typo.len() - 1.., last);
    for token in ["dbk_short", "sk_live_0123456789", &typo] {
        let answer = shared().anonymous().with_token(token).post("/v1/activities", &activity()).await;
        answer.problem(401, "token-malformed");
    }
}

#[tokio::test]
async fn a_token_that_was_never_issued_is_unknown() {
    let token = with_checksum(UNKNOWN);
    shared()
        .anonymous()
        .with_token(&token)
        .post("/v1/activities", &activity())
        .await
        .problem(401, "token-unknown");
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to() {
    let customer = shared().customer().await;
    let end = Utc::now() + TimeDelta::seconds(2);
    let body = json!({"name": "short", "scopes": ["ingest"], "expires_at": end});
    let issued = customer.issue_with(&body).await.json(201);
    let api = customer.api.with_token(issued["token"].as_str().unwrap());
    api.record(&activity()).await;
    let refused = eventually("the token ends", || async {
        let answer = api.post("/v1/activities", &activity()).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    refused.problem(401, "token-expired");
    assert!(Utc::now() >= end, "it ended too soon");
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_a_second() {
    let customer = shared().customer().await;
    let issued = customer.issue(&["ingest"]).await;
    let api = customer.api.with_token(issued["token"].as_str().unwrap());
    api.record(&activity()).await;
    let path = format!("/v1/tokens/{}", issued["id"].as_str().unwrap());
    assert_eq!(customer.api.delete(&path).await.status, 204);
    let refused = within(std::time::Duration::from_secs(1), "the token is refused", || async {
        let answer = api.post("/v1/activities", &activity()).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    refused.problem(401, "token-revoked");
}

#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let customer = shared().customer().await;
    customer.api.record(&json!({"id": "a", "type": "page.viewed", "actor": "ada"})).await;
    for (scope, method, path) in [
        ("ingest", Method::POST, "/v1/activities"),
        ("ingest", Method::POST, "/v1/activities/batch"),
        ("ingest", Method::PATCH, "/v1/activities/a"),
        ("ingest", Method::DELETE, "/v1/activities/a"),
        ("read", Method::GET, "/v1/activities/a"),
        ("read", Method::GET, "/v1/activities"),
        ("read", Method::GET, "/v1/reports/activity"),
        ("audit", Method::GET, "/v1/history"),
        ("admin", Method::GET, "/v1/tokens"),
    ] {
        let others: Vec<_> =
            ["ingest", "read", "audit", "admin"].into_iter().filter(|other| *other != scope).collect();
        let api = customer.with_scopes(&others).await;
        let answer = send(api.request(method.clone(), path).json(&json!({}))).await;
        let problem = answer.problem(403, "scope-missing");
        assert!(problem["detail"].as_str().unwrap().contains(scope), "{method} {path}: {problem}");
    }
}

#[tokio::test]
async fn http_basic_takes_the_token_as_the_user_name() {
    let customer = shared().customer().await;
    for user in [format!("{}:", customer.token), format!("{}:ignored", customer.token)] {
        let header = format!("Basic {}", STANDARD.encode(user));
        let headers = [("authorization", header.as_str()), ("content-type", "application/json")];
        let answer = shared().anonymous().post_raw("/v1/activities", &headers, activity().to_string()).await;
        answer.json(202);
    }
    let headers = [("authorization", "Basic !"), ("content-type", "application/json")];
    let answer = shared().anonymous().post_raw("/v1/activities", &headers, activity().to_string()).await;
    answer.problem(401, "token-malformed");
}

#[tokio::test]
async fn a_client_cannot_say_that_it_is_somebody() {
    let customer = shared().customer().await;
    let principal = json!({"customer_id": customer.id, "subject": "me", "scopes": ["ingest"]}).to_string();
    for key in ["", "change-me-in-production-0123456789"] {
        let headers = [
            ("x-daybook-principal", principal.as_str()),
            ("x-daybook-internal-key", key),
            ("content-type", "application/json"),
        ];
        let answer = shared().anonymous().post_raw("/v1/activities", &headers, activity().to_string()).await;
        answer.problem(401, "token-missing");
    }
}

/// Adds the checksum as the contract says: the first 8 bytes of the SHA-256, modulo 62^6, in base62.
fn with_checksum(start: &str) -> String {
    use sha2::{Digest, Sha256};
    const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(start.as_bytes());
    let mut number = digest[..8].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let mut checksum = String::new();
    for _ in 0..6 {
        checksum.insert(0, char::from(BASE62[usize::try_from(number % 62).unwrap()]));
        number /= 62;
    }
    format!("{start}{checksum}")
}
