//! `/v1/dead-letters`: a customer lists, retries and discards.

use serde_json::{Value, json};

use super::{LogWriter, PROJECTIONS, accounts, settled};
use crate::support::{Customer, Stack};

async fn total(customer: &Customer) -> i64 {
    customer.api.get("/v1/reports/activity?interval=day").await.json(200)["total"].as_i64().unwrap()
}

async fn dead_letters(customer: &Customer) -> Vec<Value> {
    customer.api.get("/v1/dead-letters").await.json(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn poison_is_set_aside_until_somebody_decides() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "50")]);
    let (customer, stranger) = (stack.customer().await, stack.customer().await);
    customer.api.record(&json!({"id": "before", "type": "page.viewed", "actor": "ada"})).await;
    let mut log = LogWriter::of(&stack, &customer).await;
    let poison = log.append(&customer, "poison", 1, "9.0.0").await;
    log.append(&customer, "poison", 2, "2.0.0").await;
    customer.api.record(&json!({"id": "after", "type": "page.viewed", "actor": "ada"})).await;
    let status = settled(&stack, 4).await;
    accounts(&status, 2, 1, 0);
    assert_eq!(status["healthy"], false, "{status}");
    assert_eq!(total(&customer).await, 2, "every other stream goes on");

    let items = dead_letters(&customer).await;
    let names: Vec<_> = items.iter().map(|item| item["projection"].as_str().unwrap()).collect();
    assert_eq!(names, PROJECTIONS);
    for item in &items {
        assert_eq!(
            (&item["position"], &item["waiting"], &item["attempts"]),
            (&json!(poison), &json!(1), &json!(1))
        );
        let reason = item["reason"].as_str().unwrap();
        assert_eq!(reason, "unknown event type ActivityRecorded of version 9.0.0");
        assert_eq!(item["payload"]["actor"], "ada");
        assert_eq!(item["aggregate_id"], format!("{}:poison", customer.id));
    }
    let page = customer.api.get("/v1/dead-letters?limit=1").await.json(200);
    assert_eq!((&page["items"], &page["next_cursor"]), (&json!(items), &Value::Null));
    customer.api.get("/v1/dead-letters?limit=0").await.problem(400, "invalid-query");
    assert_eq!(dead_letters(&stranger).await, Vec::<Value>::new());

    let path = |item: &Value, what: &str| format!("/v1/dead-letters/{}/{what}", item["id"].as_str().unwrap());
    let none = json!({});
    let again = customer.api.post(&path(&items[0], "retry"), &none).await;
    let problem = again.problem(409, "dead-letter-failed");
    assert!(problem["detail"].as_str().unwrap().contains("version 9.0.0"), "{problem}");
    assert_eq!(dead_letters(&customer).await[0]["attempts"], 2);

    let reason = json!({"reason": "sent by a test of the next version"});
    for (what, body) in [("retry", &none), ("discard", &reason)] {
        stranger.api.post(&path(&items[0], what), body).await.problem(404, "dead-letter-not-found");
        customer
            .api
            .post(&format!("/v1/dead-letters/activities/{what}"), body)
            .await
            .problem(404, "dead-letter-not-found");
        let reader = customer.with_scopes(&["read", "audit", "ingest"]).await;
        reader.post(&path(&items[0], what), body).await.problem(403, "scope-missing");
        stack.anonymous().post(&path(&items[0], what), body).await.problem(401, "token-missing");
    }
    let empty = customer.api.post(&path(&items[0], "discard"), &json!({"reason": " "})).await;
    assert_eq!(empty.pointers(), ["/reason"]);
    customer.api.post(&path(&items[0], "discard"), &none).await.problem(422, "invalid-content");
    accounts(&settled(&stack, 4).await, 2, 1, 0);

    for item in &items {
        let discarded = customer.api.post(&path(item, "discard"), &reason).await.json(200);
        assert_eq!((&discarded["id"], &discarded["stopped_at"]), (&item["id"], &Value::Null));
        // By this, or by the log if that led there sooner.
        assert!(discarded["folded"].as_i64().unwrap() <= 1, "{discarded}");
    }
    assert_eq!(total(&customer).await, 3, "what waited is folded at once");
    let status = settled(&stack, 5).await;
    accounts(&status, 0, 0, 1);
    assert_eq!(status["healthy"], true, "{status}");
    assert_eq!(dead_letters(&customer).await, Vec::<Value>::new());
    customer.api.post(&path(&items[0], "discard"), &reason).await.problem(404, "dead-letter-not-found");

    let history = customer.api.get("/v1/history").await.json(200);
    let decisions: Vec<&Value> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["aggregate_type"] == "dead_letter")
        .collect();
    assert_eq!(decisions.len(), 1);
    for (event, item) in decisions.iter().zip(&items) {
        assert_eq!(event["event_type"], "DeadLetterDiscarded");
        let payload = &event["payload"];
        assert_eq!((&payload["projection"], &payload["position"]), (&item["projection"], &json!(poison)));
        assert_eq!(payload["reason"], reason["reason"]);
        assert!(event["metadata"]["subject"].as_str().unwrap().starts_with("token:"), "{event}");
    }
    let rebuilt = stack.operate(&["rebuild", "--verify"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.out, rebuilt.err);
    accounts(&settled(&stack, 5).await, 0, 0, 1);
    assert_eq!(total(&customer).await, 3);
}
