use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Customer, send, shared};

async fn recorded() -> Customer {
    let customer = shared().customer().await;
    let activity =
        json!({"id": "a", "type": "order.paid", "actor": "ada", "value": 10, "properties": {"plan": "pro"}});
    customer.api.record(&activity).await;
    customer
}

async fn change(customer: &Customer, method: Method, if_match: &str, body: &Value) -> Answer {
    let request = customer.api.request(method, "/v1/activities/a").header("if-match", if_match);
    send(request.json(body)).await
}

#[tokio::test]
async fn a_correction_changes_what_it_names_and_history_keeps_both() {
    let customer = recorded().await;
    let answer =
        change(&customer, Method::PATCH, "\"1\"", &json!({"value": 12.5, "type": "order.refunded"})).await;
    assert_eq!(answer.header("etag"), "\"2\"");
    let corrected = answer.json(200);
    assert_eq!((&corrected["value"], &corrected["type"]), (&json!(12.5), &json!("order.refunded")));
    assert_eq!(corrected["properties"], json!({"plan": "pro"}));
    assert_eq!(customer.api.get("/v1/activities/a").await.json(200), corrected);

    let answer =
        customer.api.patch("/v1/activities/a", &json!({"value": null, "properties": null})).await.json(200);
    assert_eq!((answer.get("value"), answer.get("properties")), (None, None), "{answer}");
    let answer =
        customer.api.patch("/v1/activities/a", &json!({"occurred_at": "2026-01-01T00:00:00Z"})).await;
    assert_eq!(answer.json(200)["occurred_at"], "2026-01-01T00:00:00Z");

    let history = customer.api.get("/v1/history").await.json(200);
    let types: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|event| &event["event_type"]).collect();
    assert_eq!(types, ["ActivityRecorded", "ActivityCorrected", "ActivityCorrected", "ActivityCorrected"]);
    let second = &history["items"][1]["payload"];
    assert_eq!((&second["before"]["value"], &second["after"]["value"]), (&json!(10.0), &json!(12.5)));
}

#[tokio::test]
async fn a_correction_that_changes_nothing_is_no_event() {
    let customer = recorded().await;
    let answer = customer.api.patch("/v1/activities/a", &json!({"type": "order.paid"})).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(customer.api.patch("/v1/activities/a", &json!({})).await.header("etag"), "\"1\"");
}

#[tokio::test]
async fn a_correction_keeps_the_rules() {
    let customer = recorded().await;
    for (body, pointer) in [
        (json!({"type": " paid"}), "/type"),
        (json!({"properties": []}), "/properties"),
        (json!({"properties": {"a": "\u{0}"}}), "/properties/a"),
        (json!({"value": "1"}), "/value"),
        (json!({"occurred_at": "1999-01-01T00:00:00Z"}), "/occurred_at"),
        (json!({"actor": "bob"}), "/actor"),
        (json!({"id": "b"}), "/id"),
        (json!({"context": {}}), "/context"),
    ] {
        let answer = customer.api.patch("/v1/activities/a", &body).await;
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    assert_eq!(
        customer.api.get("/v1/activities/a").await.header("etag"),
        "\"1\"",
        "a refused correction was stored"
    );
}

#[tokio::test]
async fn a_change_on_an_old_state_is_refused() {
    let customer = recorded().await;
    change(&customer, Method::PATCH, "\"1\"", &json!({"value": 11})).await.json(200);
    let answer = change(&customer, Method::PATCH, "\"1\"", &json!({"value": 12})).await;
    let problem = answer.problem(412, "sequence-mismatch");
    assert_json_snapshot!("mismatch", problem, {".instance" => "[request]"});
    change(&customer, Method::DELETE, "\"7\"", &json!({})).await.problem(412, "sequence-mismatch");
    change(&customer, Method::PATCH, "W/\"2\"", &json!({"value": 12}))
        .await
        .problem(412, "sequence-mismatch");
    change(&customer, Method::PATCH, "two", &json!({"value": 12})).await.problem(400, "invalid-if-match");
    change(&customer, Method::PATCH, "*", &json!({"value": 12})).await.json(200);
    change(&customer, Method::PATCH, "\"3\"", &json!({"value": 13})).await.json(200);
}

#[tokio::test]
async fn of_many_corrections_of_one_state_one_wins() {
    let customer = recorded().await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..8 {
        let request = customer.api.request(Method::PATCH, "/v1/activities/a").header("if-match", "\"1\"");
        calls.spawn(send(request.json(&json!({"value": 100 + n}))));
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.problem(412, "sequence-mismatch");
    }
}

#[tokio::test]
async fn a_redacted_activity_is_gone_but_for_its_history() {
    let customer = recorded().await;
    let answer = change(&customer, Method::DELETE, "\"1\"", &json!({})).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    customer.api.get("/v1/activities/a").await.problem(410, "activity-redacted");
    customer.api.patch("/v1/activities/a", &json!({"value": 1})).await.problem(410, "activity-redacted");
    customer.api.delete("/v1/activities/a").await.problem(410, "activity-redacted");
    let history = customer.api.get("/v1/history").await.json(200);
    assert_eq!(history["items"][1]["event_type"], "ActivityRedacted");
    // Its id stays taken: the same again is a duplicate, and not recorded anew.
    let activity =
        json!({"id": "a", "type": "order.paid", "actor": "ada", "value": 10, "properties": {"plan": "pro"}});
    assert_eq!(customer.api.record(&activity).await["duplicate"], true);
    customer.api.get("/v1/activities/a").await.problem(410, "activity-redacted");
}

#[tokio::test]
async fn what_was_never_recorded_is_not_there() {
    let customer = shared().customer().await;
    for id in ["nothing", &"x".repeat(129)] {
        let path = format!("/v1/activities/{id}");
        customer.api.get(&path).await.problem(404, "activity-not-found");
        customer.api.patch(&path, &json!({"value": 1})).await.problem(404, "activity-not-found");
        customer.api.delete(&path).await.problem(404, "activity-not-found");
    }
}

#[tokio::test]
async fn no_id_is_out_of_reach() {
    let customer = shared().customer().await;
    for (id, path) in [
        ("batch", "/v1/activities/batch"),
        ("stream", "/v1/activities/stream"),
        ("live", "/v1/activities/live"),
        ("a/b/c", "/v1/activities/a/b/c"),
        ("d/../e", "/v1/activities/d%2F..%2Fe"),
        ("%2F", "/v1/activities/%252F"),
        // A client takes these two out of a path.
        (".", "/v1/activities/?id=."),
        ("..", "/v1/activities/?id=%2e%2e"),
    ] {
        customer.api.record(&json!({"id": id, "type": "t", "actor": "ada", "value": 1})).await;
        assert_eq!(customer.api.get(path).await.json(200)["id"], id, "{path}");
        assert_eq!(customer.api.patch(path, &json!({"value": 2})).await.json(200)["sequence"], 2, "{path}");
        assert_eq!(customer.api.delete(path).await.status, 204, "{path}");
        customer.api.get(path).await.problem(410, "activity-redacted");
    }
}

#[tokio::test]
async fn another_customers_activity_cannot_be_changed() {
    let (customer, stranger) = (recorded().await, shared().customer().await);
    stranger.api.patch("/v1/activities/a", &json!({"value": 1})).await.problem(404, "activity-not-found");
    stranger.api.delete("/v1/activities/a").await.problem(404, "activity-not-found");
    assert_eq!(customer.api.get("/v1/activities/a").await.json(200)["value"], 10.0);
}
