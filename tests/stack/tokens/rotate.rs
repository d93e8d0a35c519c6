//! `POST /v1/tokens/{id}/rotate`.

use serde_json::{Value, json};

use crate::support::{eventually, shared};

#[tokio::test]
async fn a_rotated_token_works_beside_its_successor_until_the_overlap_is_over() {
    let customer = shared().customer().await;
    let rotate = async |id: &Value, overlap_s: u32| {
        let path = format!("/v1/tokens/{}/rotate", id.as_str().unwrap());
        customer.api.post(&path, &json!({"overlap_s": overlap_s})).await
    };
    let first = customer.issue(&["read"]).await;
    let old = customer.api.with_token(first["token"].as_str().unwrap());
    old.get("/v1/reports/activity").await.json(200);

    let second = rotate(&first["id"], 3_600).await.json(201);
    assert_eq!((&second["replaces"], &second["scopes"]), (&first["id"], &first["scopes"]));
    let new = customer.api.with_token(second["token"].as_str().unwrap());
    new.get("/v1/reports/activity").await.json(200);
    old.get("/v1/reports/activity").await.json(200);

    // Without an overlap, the old one ends in every service within a second.
    rotate(&second["id"], 0).await.json(201);
    eventually("the old token has ended", async || {
        (new.get("/v1/reports/activity").await.status == 401).then_some(())
    })
    .await;
    rotate(&second["id"], 0).await.problem(409, "token-expired");
    let trace = customer.api.get(&format!("/v1/tokens/{}/history", first["id"].as_str().unwrap())).await;
    let trace = trace.json(200);
    assert!(trace["events"].as_array().unwrap().len() >= 2, "{trace}");
}
