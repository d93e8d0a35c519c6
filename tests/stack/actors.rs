//! `/v1/actors/…`: described and merged through the gateway, and counted as one.

use reqwest::Method;
use serde_json::{Value, json};

use crate::reports::folded;
use crate::support::{Customer, send, shared};

async fn record(customer: &Customer, actor: &str, day: u8) -> i64 {
    let body =
        json!({"type": "page.viewed", "actor": actor, "occurred_at": format!("2026-03-0{day}T10:00:00Z")});
    customer.api.record(&body).await["position"].as_i64().unwrap()
}

async fn call(customer: &Customer, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let request = customer.api.request(method.parse().unwrap(), path);
    let request = if body.is_null() { request } else { request.json(body) };
    let answer = send(request).await;
    if status == 204 {
        assert_eq!(answer.status, 204);
        return Value::Null;
    }
    answer.json(status)
}

const ACTORS: &str = "/v1/reports/activity?measure=actors&from=2026-03-01&to=2026-03-05&time_zone=UTC";

#[tokio::test]
async fn merged_actors_are_one_in_every_report_and_two_as_of_before() {
    let customer = shared().customer().await;
    record(&customer, "anonymous/7", 1).await;
    let before = record(&customer, "ada", 2).await;
    assert_eq!(folded(&customer, ACTORS, before).await["total"], 2);
    let tag = customer.api.get(ACTORS).await.header("etag").to_owned();
    let merged =
        call(&customer, "POST", "/v1/actors/ada/aliases", &json!({"alias": "anonymous/7"}), 200).await;
    assert_eq!(merged["duplicate"], false);
    let position = merged["position"].as_i64().unwrap();
    assert_eq!(folded(&customer, ACTORS, position).await["total"], 1);
    let known = customer.api.request(Method::GET, ACTORS).header("if-none-match", tag);
    assert_eq!(send(known).await.status, 200, "another answer has another tag");
    assert_eq!(customer.api.get(&format!("{ACTORS}&as_of={before}")).await.json(200)["total"], 2);
    for name in ["ada", "anonymous%2F7"] {
        let actor = customer.api.get(&format!("/v1/actors/{name}")).await.json(200);
        assert_eq!(
            (&actor["actor"], &actor["count"], &actor["first_seen"]),
            (&json!("ada"), &json!(2), &json!("2026-03-01T10:00:00Z"))
        );
        assert_eq!(
            (&actor["merged"][0]["name"], &actor["merged"][0]["position"]),
            (&json!("anonymous/7"), &json!(position))
        );
        let activities = customer.api.get(&format!("/v1/actors/{name}/activities")).await.json(200);
        assert_eq!(activities["items"].as_array().unwrap().len(), 2);
        let filtered = customer.api.get(&format!("/v1/activities?actor={name}")).await.json(200);
        assert_eq!(filtered["items"].as_array().unwrap().len(), 2);
    }
    let again =
        call(&customer, "POST", "/v1/actors/ada/aliases", &json!({"alias": "anonymous/7"}), 200).await;
    assert_eq!((&again["duplicate"], &again["position"]), (&json!(true), &json!(position)));
    call(&customer, "POST", "/v1/actors/anonymous%2F7/aliases", &json!({"alias": "ada"}), 409).await;
    call(&customer, "DELETE", "/v1/actors/ada/aliases/anonymous%2F7", &Value::Null, 204).await;
    call(&customer, "DELETE", "/v1/actors/ada/aliases/anonymous%2F7", &Value::Null, 404).await;
    assert_eq!(folded(&customer, ACTORS, position + 1).await["total"], 2);
    assert_eq!(customer.api.get(&format!("{ACTORS}&as_of={position}")).await.json(200)["total"], 1);
}

#[tokio::test]
async fn traits_filter_and_group_what_all_names_of_an_actor_did() {
    let customer = shared().customer().await;
    for (actor, day) in [("a1", 1), ("ada", 2), ("bob", 3)] {
        record(&customer, actor, day).await;
    }
    let described = json!({"traits": {"plan": "pro", "seats": 3}});
    call(&customer, "PUT", "/v1/actors/ada", &described, 200).await;
    let merged = call(&customer, "POST", "/v1/actors/ada/aliases", &json!({"alias": "a1"}), 200).await;
    let position = merged["position"].as_i64().unwrap();
    let plans = "/v1/reports/top?dimension=traits.plan&from=2026-03-01&to=2026-03-05";
    let items = folded(&customer, plans, position).await["items"].clone();
    assert_eq!(
        items,
        json!([{"key": "pro", "count": 2, "actors": 1}, {"key": null, "count": 1, "actors": 1}])
    );
    let filter = "/v1/activities?filter=%5B%22gte%22%2C%22traits.seats%22%2C3%5D";
    assert_eq!(customer.api.get(filter).await.json(200)["items"].as_array().unwrap().len(), 2);
    let changed = call(&customer, "PUT", "/v1/actors/ada", &json!({"traits": {"plan": null}}), 200).await;
    assert_eq!(changed["traits"], json!({"seats": 3}));
    let after = folded(&customer, plans, changed["position"].as_i64().unwrap()).await;
    assert_eq!(after["items"], json!([{"key": null, "count": 3, "actors": 2}]));
    assert_eq!(customer.api.get(&format!("{plans}&as_of={position}")).await.json(200)["items"], items);
    assert_eq!(customer.api.get("/v1/actors/a1").await.json(200)["traits"], json!({"seats": 3}));
}
