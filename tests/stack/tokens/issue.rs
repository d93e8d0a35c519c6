//! `POST /v1/tokens`.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::shared;

#[tokio::test]
async fn a_token_shows_its_secret_once() {
    let customer = shared().customer().await;
    let issued = customer.issue(&["read", "ingest", "read"]).await;
    let secret = issued["token"].as_str().unwrap();
    assert!(secret.starts_with("dbk_") && secret.len() == 42, "{secret}");
    assert_json_snapshot!("issued", issued, {
        ".id" => "[id]", ".customer_id" => "[id]", ".token" => "[secret]", ".prefix" => "[prefix]", ".created_at" => "[time]",
    });
    let answer = customer.api.get("/v1/tokens").await;
    assert!(!answer.text.contains(secret), "the secret is shown again");
    let listed = &answer.json(200)["items"][0];
    let mut expected = issued.clone();
    expected.as_object_mut().unwrap().retain(|name, _| !["token", "customer_id"].contains(&name.as_str()));
    assert_eq!(listed, &expected);
    assert!(secret.starts_with(listed["prefix"].as_str().unwrap()));
}

#[tokio::test]
async fn a_token_that_could_do_nothing_is_not_issued() {
    let customer = shared().customer().await;
    for (body, pointer) in [
        (json!({"name": "", "scopes": ["read"]}), "/name"),
        (json!({"name": "a", "scopes": []}), "/scopes"),
        (json!({"name": "a", "scopes": ["everything"]}), "/scopes/0"),
        (json!({"name": "a", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
    ] {
        assert_eq!(customer.issue_with(&body).await.pointers(), [pointer], "{body}");
    }
}

#[tokio::test]
async fn a_token_gives_no_more_than_its_maker_may_do() {
    let customer = shared().customer().await;
    let api = customer.with_scopes(&["admin", "read"]).await;
    let issue = |scope: &'static str| {
        let api = api.clone();
        async move { api.post("/v1/tokens", &json!({"name": "more", "scopes": [scope]})).await }
    };
    issue("read").await.json(201);
    issue("audit").await.problem(403, "scope-missing");
}
