//! `daybook dead-letters`: the operator lists, retries and discards everybody’s.

use serde_json::{Value, json};

use super::{LogWriter, accounts, settled};
use crate::support::Stack;

#[tokio::test]
async fn an_operator_lists_retries_and_discards_dead_letters_of_everybody() {
    let mut stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "50")]);
    let customers = [stack.customer().await, stack.customer().await];
    for customer in &customers {
        customer.api.record(&json!({"id": "before", "type": "page.viewed", "actor": "ada"})).await;
        let mut log = LogWriter::of(&stack, customer).await;
        log.append(customer, "poison", 1, "9.0.0").await;
        log.append(customer, "poison", 2, "2.0.0").await;
        customer.api.record(&json!({"id": "after", "type": "page.viewed", "actor": "ada"})).await;
    }
    accounts(&settled(&stack, 8).await, 4, 2, 0);
    let list = async |stack: &Stack, more: &[&str]| {
        let listed = stack.operate(&[&["dead-letters", "list", "--json"], more].concat()).await;
        assert_eq!(listed.code, Some(0), "{}", listed.err);
        let items: Value = serde_json::from_str(&listed.out).unwrap();
        let ids =
            items["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<String>>()
    };
    let all = list(&stack, &[]).await;
    assert_eq!(all.len(), 2);
    assert_eq!(list(&stack, &["--customer", &customers[0].id]).await.len(), 1);
    assert_eq!(list(&stack, &["--after", &all[0]]).await, all[1..]);
    let table = stack.operate(&["dead-letters", "list"]).await.out;
    assert!(all.iter().all(|id| table.contains(id.as_str())) && table.contains("version 9.0.0"), "{table}");

    let retried = stack.operate(&["dead-letters", "retry", &all[0]]).await;
    assert_eq!(retried.code, Some(1));
    assert!(retried.err.contains("still cannot be folded: unknown event type"), "{}", retried.err);
    for wrong in [&["discard", &all[0]][..], &["discard", &all[0], "--reason", " "], &["retry", "7"], &[]] {
        let wrong = stack.operate(&[&["dead-letters"], wrong].concat()).await;
        assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    }
    let unknown = stack.operate(&["dead-letters", "discard", "activities-0-999", "--reason", "none"]).await;
    assert_eq!(unknown.code, Some(1), "{}", unknown.err);

    // Beside a running system, and on a stopped one.
    let (running, stopped) = all.split_at(1);
    for id in running {
        let discarded = stack.operate(&["dead-letters", "discard", id, "--reason", "a test", "--json"]).await;
        assert_eq!(discarded.code, Some(0), "{}", discarded.err);
        let discarded: Value = serde_json::from_str(&discarded.out).unwrap();
        assert_eq!((&discarded["id"], &discarded["stopped_at"]), (&json!(id), &Value::Null));
    }
    accounts_of_all(&settled(&stack, 9).await, 2, 1);
    stack.interrupt().await;
    for id in stopped {
        let discarded = stack.operate(&["dead-letters", "discard", id, "--reason", "a test"]).await;
        assert_eq!(discarded.code, Some(0), "{}", discarded.err);
    }
    let stack = stack.start_again();
    accounts(&settled(&stack, 10).await, 0, 0, 2);
    assert_eq!(list(&stack, &[]).await, Vec::<String>::new());
    let history = customers[0].api.with_base(&stack.url).get("/v1/history").await.json(200);
    let subjects: Vec<&Value> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["aggregate_type"] == "dead_letter")
        .map(|event| &event["metadata"]["subject"])
        .collect();
    assert_eq!(subjects, [&json!("operator")]);
}

/// Over all projections.
#[track_caller]
fn accounts_of_all(status: &Value, dead_lettered: i64, discarded: i64) {
    let sum = |key: &str| -> i64 {
        status["projections"].as_array().unwrap().iter().map(|one| one[key].as_i64().unwrap()).sum()
    };
    assert_eq!((sum("dead_lettered"), sum("discarded")), (dead_lettered, discarded), "{status}");
}
