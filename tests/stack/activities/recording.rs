use insta::assert_json_snapshot;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::shared;

#[tokio::test]
async fn an_activity_is_recorded_and_read_as_it_was_sent() {
    let customer = shared().customer().await;
    let sent = json!({
        "id": "order-1042", "type": "order.paid", "actor": "Ada Lovelace ✓", "occurred_at": "2026-01-15T09:30:00.25+01:00",
        "value": 42.5, "properties": {"plan": "pro", "items": [1, 2, {"deep": null}]}, "context": {"ip": "192.0.2.7"}
    });
    let recorded = customer.api.record(&sent).await;
    let position = recorded["position"].as_i64().unwrap();
    assert!(position > 0);
    assert_json_snapshot!("recorded", recorded, {".position" => "[position]"});
    let answer = customer.api.get("/v1/activities/order-1042").await;
    assert_eq!(answer.header("etag"), "\"1\"");
    let read = answer.json(200);
    assert_eq!(read["position"], position);
    assert_json_snapshot!(
        "read",
        read,
        {".position" => "[position]", ".partition" => "[partition]", ".recorded_at" => "[time]"}
    );
}

#[tokio::test]
async fn an_id_is_made_for_an_activity_without_one() {
    let customer = shared().customer().await;
    let [first, second] = [0, 1].map(|_| json!({"type": "page.viewed", "actor": "ada"}));
    let (first, second) = (customer.api.record(&first).await, customer.api.record(&second).await);
    let id = |answer: &Value| answer["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    assert_eq!(id(&first).get_version_num(), 7);
    assert_ne!(id(&first), id(&second));
    assert!(second["position"].as_i64() > first["position"].as_i64());
}

#[tokio::test]
async fn the_same_again_gets_the_first_answer() {
    let customer = shared().customer().await;
    let sent = json!({"id": "once", "type": "order.paid", "actor": "ada", "value": 1, "properties": {"a": 1, "b": 2}});
    let mut first = customer.api.record(&sent).await;
    customer.api.record(&json!({"type": "page.viewed", "actor": "ada"})).await;
    // Other spacing, another order of keys: the same content.
    let again =
        r#"{"properties":{ "b":2, "a":1 },"value":1.0,"actor":"ada","type":"order.paid","id":"once"}"#;
    let again = customer.api.post_raw("/v1/activities", &[("content-type", "application/json")], again).await;
    first["duplicate"] = true.into();
    assert_eq!(again.json(202), first);
}

#[tokio::test]
async fn a_number_is_kept_to_its_last_digit() {
    let customer = shared().customer().await;
    for (n, number) in
        ["0.30000000000000004", "4.546279883174397e-93", "-1.7976931348623157e308"].iter().enumerate()
    {
        let sent = format!(r#"{{"id":"n-{n}","type":"order.paid","actor":"ada","value":{number}}}"#);
        let record = async || {
            let headers = [("content-type", "application/json")];
            customer.api.post_raw("/v1/activities", &headers, sent.clone()).await.json(202)
        };
        assert_eq!(record().await["duplicate"], false);
        assert_eq!(record().await["duplicate"], true, "{number} is another number when it is read again");
        let read = customer.api.get(&format!("/v1/activities/n-{n}")).await.text;
        // The parser of these tests rounds, so the text is read by hand.
        let (_, rest) = read.split_once(r#""value":"#).unwrap();
        let kept: f64 = rest.split([',', '}']).next().unwrap().parse().unwrap();
        assert_eq!(kept.to_bits(), number.parse::<f64>().unwrap().to_bits(), "{read}");
    }
}

#[tokio::test]
async fn a_hundred_at_once_with_one_id_are_one_activity() {
    let customer = shared().customer().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let api = customer.api.clone();
        calls.spawn(
            async move { api.record(&json!({"id": "same", "type": "order.paid", "actor": "ada"})).await },
        );
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer["duplicate"] == false).count(), 1);
    assert!(answers.iter().all(|answer| answer["position"] == answers[0]["position"]));
}

#[tokio::test]
async fn an_id_used_for_something_else_is_a_conflict() {
    let customer = shared().customer().await;
    customer.api.record(&json!({"id": "taken", "type": "order.paid", "actor": "ada"})).await;
    for other in [
        json!({"id": "taken", "type": "order.sent", "actor": "ada"}),
        json!({"id": "taken", "type": "order.paid", "actor": "bob"}),
        json!({"id": "taken", "type": "order.paid", "actor": "ada", "value": 1}),
        json!({"id": "taken", "type": "order.paid", "actor": "ada", "properties": {}}),
    ] {
        let answer = customer.api.post("/v1/activities", &other).await;
        let problem = answer.problem(409, "activity-id-reused");
        assert_json_snapshot!("id-reused", problem, {".instance" => "[request]"});
    }
}

#[tokio::test]
async fn two_customers_can_use_the_same_id_and_see_nothing_of_each_other() {
    let (one, other) = (shared().customer().await, shared().customer().await);
    one.api.record(&json!({"id": "mine", "type": "order.paid", "actor": "ada"})).await;
    other.api.get("/v1/activities/mine").await.problem(404, "activity-not-found");
    let recorded = other.api.record(&json!({"id": "mine", "type": "order.sent", "actor": "bob"})).await;
    assert_eq!(recorded["duplicate"], false);
    assert_eq!(one.api.get("/v1/activities/mine").await.json(200)["type"], "order.paid");
}

#[tokio::test]
async fn an_id_may_be_anything_printable() {
    let customer = shared().customer().await;
    for id in ["a/b?c#d", "50%", "日本", "..", "batch", &"x".repeat(128)] {
        customer.api.record(&json!({"id": id, "type": "order.paid", "actor": "ada"})).await;
        let history = customer.api.get("/v1/history?limit=1000").await.json(200);
        let ids: Vec<_> =
            history["items"].as_array().unwrap().iter().map(|event| &event["activity_id"]).collect();
        assert!(ids.contains(&&json!(id)), "{id}: {ids:?}");
    }
    for (path, id) in [("a%2Fb%3Fc%23d", "a/b?c#d"), ("50%25", "50%"), ("%E6%97%A5%E6%9C%AC", "日本")] {
        assert_eq!(customer.api.get(&format!("/v1/activities/{path}")).await.json(200)["id"], id);
    }
}
