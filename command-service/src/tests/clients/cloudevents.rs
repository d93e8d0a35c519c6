use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};

use super::{Answer, House, pointers, recorded, rejections};

const STRUCTURED: &str = "application/cloudevents+json";
const BATCHED: &str = "application/cloudevents-batch+json";

async fn send(house: &House, headers: &[(&str, &str)], body: impl Into<axum::body::Body>) -> Answer {
    house.send_as(house.customer, &Scope::ALL, Method::POST, "/v1/cloudevents", headers, body).await
}

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/shop", "type": "order.paid", "subject": "ada",
        "time": "2026-03-01T09:30:00Z", "region": "eu", "data": {"plan": "pro"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_the_same_in_each_form() {
    let house = House::start().await;
    let structured = send(&house, &[("content-type", STRUCTURED)], event("1").to_string()).await;
    assert_eq!(
        (structured.status.as_u16(), &structured.body),
        (202, &json!({"accepted": 1, "duplicates": 0, "rejected": []})),
        "{}",
        structured.text
    );
    let batched =
        send(&house, &[("content-type", BATCHED)], json!([event("1"), event("2")]).to_string()).await;
    assert_eq!(batched.body, json!({"accepted": 1, "duplicates": 1, "rejected": []}));
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "/shop"),
        ("ce-type", "order.paid"),
        ("ce-subject", "ad%61"),
        ("ce-time", "2026-03-01T09:30:00Z"),
        ("ce-region", "eu"),
    ];
    let answer = send(&house, &binary, r#"{"plan":"pro"}"#).await;
    assert_eq!(answer.body, json!({"accepted": 0, "duplicates": 1, "rejected": []}), "{}", answer.text);
    let recorded = recorded(&house).await;
    assert_eq!(
        recorded[0],
        json!({"type": "order.paid", "actor": "ada", "occurred_at": "2026-03-01T09:30:00Z",
            "occurred_at_source": "client", "properties": {"plan": "pro"},
            "context": {"region": "eu", "source": "/shop"}})
    );
    assert_eq!(recorded.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_no_object_is_kept_under_a_name() {
    let house = House::start().await;
    let binary = |id: &'static str, content_type: &'static str| {
        [
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-source", "s"),
            ("ce-type", "t"),
            ("content-type", content_type),
        ]
    };
    for (headers, body) in [
        (binary("1", "application/json"), &b"[1]"[..]),
        (binary("2", "text/plain"), b"hello"),
        (binary("3", "application/octet-stream"), b"\xff\x00"),
        (binary("4", "application/json"), b""),
    ] {
        assert_eq!(send(&house, &headers, body.to_vec()).await.status.as_u16(), 202);
    }
    let properties: Vec<_> = recorded(&house).await.iter().map(|one| one["properties"].clone()).collect();
    assert_eq!(json!(properties), json!([{"data": [1]}, {"data": "hello"}, {"data_base64": "/wA="}, null]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_is_named_and_costs_the_others_nothing() {
    let house = House::start().await;
    let without = |name: &str| {
        let mut event = event("x");
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let with = |name: &str, value: Value| {
        let mut event = event("y");
        event[name] = value;
        event
    };
    let bad = [
        (json!(7), ""),
        (without("specversion"), "/specversion"),
        (with("specversion", json!("0.3")), "/specversion"),
        (without("id"), "/id"),
        (without("source"), "/source"),
        (without("type"), "/type"),
        (with("type", json!(7)), "/type"),
        (with("time", json!("soon")), "/time"),
        (with("subject", json!("x".repeat(257))), "/subject"),
        (with("data", json!({"a": "\u{0}"})), "/data/a"),
    ];
    let batch: Vec<Value> = bad.iter().map(|(event, _)| event.clone()).chain([event("good")]).collect();
    let answer = send(&house, &[("content-type", BATCHED)], Value::Array(batch).to_string()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["accepted"]), (202, &json!(1)), "{}", answer.text);
    for (item, (event, pointer)) in answer.body["rejected"].as_array().unwrap().iter().zip(&bad) {
        assert_eq!(pointers(item), [*pointer], "{event}");
    }
    assert_eq!(rejections(&house, bad.len()).await[0]["activity_id"], json!("y"));
    for (content_type, body, status) in [
        (BATCHED, "{}", 400),
        (STRUCTURED, "{", 400),
        (STRUCTURED, "[]", 422),
        ("application/json", "{}", 415),
    ] {
        let answer = send(&house, &[("content-type", content_type)], body).await;
        assert_eq!(answer.problem().0, status, "{content_type} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_source_makes_no_id_too_long() {
    let house = House::start().await;
    for _ in 0..2 {
        let mut long = event("1");
        long["source"] = json!(format!("/{}", "s".repeat(200)));
        assert_eq!(
            send(&house, &[("content-type", STRUCTURED)], long.to_string()).await.status.as_u16(),
            202
        );
    }
    assert_eq!(recorded(&house).await.len(), 1);
}
