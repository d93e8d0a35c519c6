//! `/v1/projections`.

use serde_json::{Value, json};

use crate::dead_letters::PROJECTIONS;
use crate::support::{Stack, eventually};

#[tokio::test]
async fn projections_tell_how_far_they_have_come() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "50")]);
    let customer = stack.customer().await;
    customer.api.record(&json!({"id": "1", "type": "page.viewed", "actor": "ada"})).await;
    let projections = eventually("everything is folded", || async {
        let projections = customer.api.get("/v1/projections").await.json(200);
        let is_folded = |one: &Value| one["position"] == 1 && one["lag_events"] == 0;
        (projections["items"].as_array().unwrap().iter().all(is_folded) && projections["job"].is_null())
            .then_some(projections)
    })
    .await;
    let names: Vec<_> =
        projections["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, PROJECTIONS);
    assert_eq!(projections["items"][0]["dead_letters"], 0, "{projections}");
    customer.with_scopes(&["read"]).await.get("/v1/projections").await.problem(403, "scope-missing");
}
