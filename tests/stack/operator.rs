//! The commands of an operator.

mod import;
mod rebuild;
mod replay;
mod status;
mod up;
mod usage;

use serde_json::{Value, json};

use crate::support::{Customer, Stack, eventually};

/// Records so many activities, some of them corrected or redacted; returns how many events that is.
async fn write(customer: &Customer, start: usize, count: usize) -> usize {
    let activities: Vec<Value> = (start..start + count)
        .map(|n| json!({"id": format!("n-{n}"), "type": format!("type.{}", n % 3), "actor": format!("actor-{}", n % 9)}))
        .collect();
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    assert_eq!(answer["accepted"], count, "{answer}");
    customer
        .api
        .patch(&format!("/v1/activities/n-{start}"), &json!({"type": "type.corrected"}))
        .await
        .json(200);
    assert_eq!(customer.api.delete(&format!("/v1/activities/n-{}", start + 1)).await.status, 204);
    count + 2
}

/// A status in which nothing waits.
async fn settled(stack: &Stack) -> Value {
    eventually("everything is folded", || async {
        let finished = stack.operate(&["status", "--json"]).await;
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        let status: Value = serde_json::from_str(&finished.out).unwrap();
        let projections = status["projections"].as_array().unwrap();
        projections.iter().all(|projection| projection["lag"] == 0).then_some(status)
    })
    .await
}
