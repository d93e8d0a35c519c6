//! `/v1/session`: logging in and out.

use reqwest::Method;
use serde_json::json;

use crate::support::{Customer, PASSWORD, send, shared};

#[tokio::test]
async fn a_session_begins_and_ends() {
    let customer = shared().customer().await;
    let api = shared().anonymous();
    api.get("/v1/session").await.problem(401, "session-missing");
    for (email, password) in
        [(customer.email.as_str(), "wrong horse battery"), ("nobody@example.com", PASSWORD)]
    {
        let answer = api.post("/v1/session", &json!({"email": email, "password": password})).await;
        answer.problem(401, "wrong-credentials");
    }
    let login = json!({"email": customer.email.to_uppercase(), "password": PASSWORD});
    let session = api.post("/v1/session", &login).await.json(200);
    assert_eq!(session["customer"]["id"], customer.id.as_str());
    assert_eq!(api.get("/v1/session").await.json(200)["member"]["email"], customer.email.as_str());
    let csrf_token = session["csrf_token"].as_str().unwrap();
    let answer = send(api.request(Method::DELETE, "/v1/session").header("x-csrf-token", csrf_token)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    api.get("/v1/session").await.problem(401, "session-missing");
    // The session of the sign-up is another one.
    customer.dashboard.get("/v1/session").await.json(200);
}

#[tokio::test]
async fn many_log_ins_at_once_are_answered() {
    let customer = shared().customer().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (api, email) = (shared().anonymous(), customer.email.clone());
        calls.spawn(
            async move { api.post("/v1/session", &json!({"email": email, "password": PASSWORD})).await },
        );
    }
    for answer in calls.join_all().await {
        if answer.status != 200 {
            // Hashing takes a core for a while; beyond the bounded queue it is 503.
            answer.problem(503, "busy");
            assert!(!answer.header("retry-after").is_empty());
        }
    }
    Customer::sign_up(&shared().url, "UTC").await;
}
