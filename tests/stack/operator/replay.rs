//! `daybook replay`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::write;
use crate::support::Stack;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_replay_is_complete_and_in_order() {
    let stack = Stack::start();
    let (one, other) = (stack.customer().await, stack.customer().await);
    let written = write(&one, 0, 700).await + write(&other, 0, 500).await;
    write(&one, 700, 10).await;
    // A client that may only ingest writes what looks like a line, or a row, of its own.
    let forged = "{\"id\":\"=1+1\",\"type\":\"a\",\"actor\":\"b\u{2028}\",\"properties\":{\"x\":\r\n\
        {\"partition\":0,\"position\":1,\"event_type\":\"ActivityRecorded\"}\n}}";
    one.api.post_raw("/v1/activities", &[("content-type", "application/json")], forged).await.json(202);

    let whole = lines(&stack.operate(&["replay", "--format", "ndjson"]).await.out);
    assert_eq!(whole.len(), written + 13);
    let order = |event: &Value| {
        let time: chrono::DateTime<chrono::Utc> = event["recorded_at"].as_str().unwrap().parse().unwrap();
        (time, event["partition"].as_u64().unwrap(), event["position"].as_u64().unwrap())
    };
    assert!(whole.iter().map(order).is_sorted_by(|a, b| a < b), "the whole log is not in order");
    let mut partitions: BTreeMap<u64, u64> = BTreeMap::new();
    for event in &whole {
        let last = partitions.entry(event["partition"].as_u64().unwrap()).or_default();
        *last += 1;
        assert_eq!(event["position"], *last, "a partition has a hole");
    }

    let of_one = lines(&stack.operate(&["replay", "--customer", &one.id]).await.out);
    assert_eq!(of_one.len(), 715);
    let history = one.api.get("/v1/history?limit=1000").await.json(200);
    assert_eq!(json!(of_one), history["items"], "replay and history tell two stories");
    let (from, to) = (of_one[10]["position"].to_string(), of_one[20]["position"].to_string());
    let part = stack.operate(&["replay", "--customer", &one.id, "--from", &from, "--to", &to]).await;
    assert_eq!(lines(&part.out), of_one[10..=20]);
    let by_actor =
        lines(&stack.operate(&["replay", "--customer", &other.id, "--actor", "actor-4"]).await.out);
    assert_eq!(by_actor.len(), (0..500).filter(|n| n % 9 == 4).count());

    let csv = stack.operate(&["replay", "--format", "csv"]).await;
    assert_eq!(csv.out.lines().count(), whole.len() + 1, "a heading and a line for each event");
    assert!(csv.out.contains(",'=1+1,"), "no cell is a formula");
    let table = stack.operate(&["replay", "--format", "table"]).await.out;
    assert_eq!(table.lines().count(), whole.len() + 1, "a heading and a row for each event");
    assert!(!table.contains('\u{2028}'));
    let customers = lines(&stack.operate(&["replay", "--log", "customers"]).await.out);
    let signed_up = customers.iter().filter(|event| event["event_type"] == "CustomerSignedUp").count();
    assert_eq!(signed_up, 3, "the first customer, and two of this test");
    let wrong = stack.operate(&["replay", "--from", "3"]).await;
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
}
