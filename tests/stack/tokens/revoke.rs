//! `DELETE /v1/tokens/{id}`.

use uuid::Uuid;

use crate::support::shared;

#[tokio::test]
async fn a_token_is_revoked_once_and_only_by_its_customer() {
    let (customer, stranger) = (shared().customer().await, shared().customer().await);
    let issued = customer.issue(&["ingest"]).await;
    let path = format!("/v1/tokens/{}", issued["id"].as_str().unwrap());
    stranger.api.delete(&path).await.problem(404, "token-not-found");
    assert_eq!(customer.api.delete(&path).await.status, 204);
    // What is wanted is so already.
    assert!(matches!(customer.api.delete(&path).await.status, 204 | 404));
    let listed = customer.api.get("/v1/tokens").await.json(200);
    let token =
        listed["items"].as_array().unwrap().iter().find(|token| token["id"] == issued["id"]).unwrap().clone();
    assert!(token["revoked_at"].is_string(), "{token}");
    for path in ["/v1/tokens/nothing", &format!("/v1/tokens/{}", Uuid::now_v7())] {
        customer.api.delete(path).await.problem(404, "token-not-found");
    }
}
