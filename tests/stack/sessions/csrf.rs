//! The CSRF token of a session.

use reqwest::Method;
use serde_json::json;

use crate::support::{send, shared};

#[tokio::test]
async fn a_write_with_the_cookie_needs_its_csrf_token() {
    let customer = shared().customer().await;
    let write = |csrf_token: Option<String>| {
        let request = customer.dashboard.request(Method::POST, "/v1/activities");
        let request = match csrf_token {
            Some(token) => request.header("x-csrf-token", token),
            None => request,
        };
        send(request.json(&json!({"type": "page.viewed", "actor": "ada"})))
    };
    write(None).await.problem(403, "csrf-token-missing");
    write(Some("0".repeat(customer.csrf_token.len()))).await.problem(403, "csrf-token-missing");
    let stranger = shared().customer().await;
    write(Some(stranger.csrf_token)).await.problem(403, "csrf-token-missing");
    write(Some(customer.csrf_token.clone())).await.json(202);
    // Reading needs none.
    customer.dashboard.get("/v1/history").await.json(200);
}
