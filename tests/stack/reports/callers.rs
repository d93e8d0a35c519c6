//! Whose reports they are.

use serde_json::json;

use super::{activity, folded, with_a_morning};
use crate::support::shared;

#[tokio::test]
async fn another_customer_sees_nothing_of_it() {
    let (customer, position) = with_a_morning().await;
    folded(&customer, &activity("&interval=day"), position).await;
    let stranger = shared().customer().await;
    assert_eq!(stranger.api.get(&activity("&interval=day&group_by=type")).await.json(200)["total"], 0);
    assert_eq!(stranger.api.get("/v1/activities").await.json(200)["items"], json!([]));
}
