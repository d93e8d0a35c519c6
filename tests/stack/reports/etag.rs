//! The `ETag` of a report: what has not changed is not sent again.

use serde_json::json;

use super::{activity, folded, with_a_morning};
use crate::support::Answer;

#[tokio::test]
async fn a_report_that_has_not_changed_is_not_sent_again() {
    let (customer, position) = with_a_morning().await;
    let path = activity("&interval=hour");
    folded(&customer, &path, position).await;
    let tag = customer.api.get(&path).await.header("etag").to_owned();
    assert!(!tag.is_empty());
    let again = async || {
        let request = customer.api.request(reqwest::Method::GET, &path).header("if-none-match", &tag);
        crate::support::send(request).await
    };
    let answer: Answer = again().await;
    assert_eq!((answer.status, answer.text.as_str()), (304, ""));
    let one = json!({"type": "page.viewed", "actor": "ada", "occurred_at": "2026-03-02T15:00:00Z"});
    let position = customer.api.record(&one).await["position"].as_i64().unwrap();
    folded(&customer, &path, position).await;
    assert_eq!(again().await.status, 200);
}
