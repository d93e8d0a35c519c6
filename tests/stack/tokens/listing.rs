//! `GET /v1/tokens`.

use serde_json::{Value, json};

use crate::support::shared;

/// Tokens without what is written in the background while they are used.
fn lasting(tokens: &Value) -> Vec<Value> {
    let mut tokens = tokens.as_array().unwrap().clone();
    for token in &mut tokens {
        assert!(token.as_object_mut().unwrap().remove("last_used_at").is_some(), "{token}");
    }
    tokens
}

#[tokio::test]
async fn tokens_are_listed_page_by_page() {
    let customer = shared().customer().await;
    for _ in 0..4 {
        customer.issue(&["read"]).await;
    }
    let all = customer.api.get("/v1/tokens").await.json(200);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next_cursor"]), (5, &Value::Null));
    let paged = customer.api.pages("/v1/tokens?limit=2").await;
    assert_eq!(lasting(&json!(paged)), lasting(&all["items"]));
    customer.api.get("/v1/tokens?limit=0").await.problem(400, "invalid-query");
}
