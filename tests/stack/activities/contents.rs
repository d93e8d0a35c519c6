use chrono::{Months, TimeDelta, Utc};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Customer, shared};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn send(customer: &Customer, body: impl Into<Vec<u8>>) -> Answer {
    customer.api.post_raw("/v1/activities", &[JSON], body).await
}

/// An ordinary activity with one field as it stands.
fn with(field: &str, raw: &str) -> String {
    let others: Vec<_> = [("type", r#""page.viewed""#), ("actor", r#""ada""#)]
        .into_iter()
        .filter(|(name, _)| *name != field)
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!(r#"{{{},"{field}":{raw}}}"#, others.join(","))
}

#[tokio::test]
async fn every_limit_of_every_field_is_named_where_it_is() {
    let customer = shared().customer().await;
    let text = |text: &str| Value::from(text).to_string();
    let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let large = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - r#"{"a":""}"#.len()));
    let now = Utc::now();
    let time = |time: chrono::DateTime<Utc>| text(&time.to_rfc3339());
    for (field, good, bad, pointer) in [
        ("id", text(&"é".repeat(128)), text(&"é".repeat(129)), "/id"),
        ("id", text("a b"), text(""), "/id"),
        ("id", text("c"), text("a\nb"), "/id"),
        ("type", text(&"購".repeat(200)), text(&"購".repeat(201)), "/type"),
        ("type", text("Order Completed"), text("Cafe\u{301}"), "/type"),
        ("actor", text(&"日".repeat(256)), text(&"日".repeat(257)), "/actor"),
        ("actor", text(" "), text(""), "/actor"),
        ("occurred_at", time(now + TimeDelta::hours(23)), time(now + TimeDelta::hours(25)), "/occurred_at"),
        (
            "occurred_at",
            time(now - Months::new(60) + TimeDelta::hours(1)),
            time(now - Months::new(60) - TimeDelta::hours(1)),
            "/occurred_at",
        ),
        ("value", "-1.5e300".into(), text("1"), "/value"),
        ("properties", large(32 * 1024), large(32 * 1024 + 1), "/properties"),
        ("properties", deep(8), deep(9), "/properties/a/a/a/a/a/a/a/a"),
        ("properties", "{}".into(), "[]".into(), "/properties"),
        ("context", large(32 * 1024), large(32 * 1024 + 1), "/context"),
        ("context", deep(8), deep(9), "/context/a/a/a/a/a/a/a/a"),
        ("context", "null".into(), text("x"), "/context"),
    ] {
        let answer = send(&customer, with(field, &good)).await;
        assert_eq!(answer.status, 202, "{field} {good:.60}: {}", answer.text);
        let answer = send(&customer, with(field, &bad)).await;
        assert_eq!(answer.pointers(), [pointer], "{field} {bad:.60}");
    }
}

#[tokio::test]
async fn what_no_log_could_keep_is_named_where_it_is() {
    let customer = shared().customer().await;
    for (body, pointer) in [
        (with("actor", r#""a\u0000b""#), "/actor"),
        (with("id", r#""a\u0000b""#), "/id"),
        (with("properties", r#"{"a":{"b":"\u0000"}}"#), "/properties/a/b"),
        (with("properties", r#"{"a":["\ud800"]}"#), "/properties/a/0"),
        (with("context", r#"{"a":"\ud800\ud800"}"#), "/context/a"),
        (with("actor", r#""\ud800""#), "/actor"),
        (with("value", "1e999"), "/value"),
        (with("value", "-1e999"), "/value"),
        (with("value", "9007199254740993"), "/value"),
        (with("value", &"9".repeat(200)), "/value"),
        (with("properties", r#"{"n":1e999}"#), "/properties/n"),
        (with("properties", r#"{"a":1,"a":2}"#), "/properties/a"),
        (with("properties", r#"{"a":{"b~/":1,"b~/":1}}"#), "/properties/a/b~0~1"),
        (r#"{"type":"a","actor":"b","actor":"c"}"#.into(), "/actor"),
        (r#"{"type":"a","actor":"b","colour":"red"}"#.into(), "/colour"),
        (r#"{"type":"a"}"#.into(), "/actor"),
        (with("occurred_at", r#""yesterday""#), "/occurred_at"),
        (with("occurred_at", r#""2026-02-30T00:00:00Z""#), "/occurred_at"),
        ("[]".into(), ""),
        (r#"["id","page.viewed","ada",null,null,null,null]"#.into(), ""),
        ("7".into(), ""),
    ] {
        assert_eq!(send(&customer, body.clone()).await.pointers(), [pointer], "{body}");
    }
    let activity =
        send(&customer, with("properties", r#"{"n":123456789012345678901234567890}"#)).await.json(202);
    let path = format!("/v1/activities/{}", activity["id"].as_str().unwrap());
    assert!(customer.api.get(&path).await.text.contains("123456789012345678901234567890"));
}

#[tokio::test]
async fn a_number_that_is_none_is_not_json() {
    let customer = shared().customer().await;
    for raw in ["NaN", "Infinity", "-Infinity", "0x10", "1.", "01"] {
        send(&customer, with("value", raw)).await.problem(400, "malformed-json");
    }
}

#[tokio::test]
async fn text_that_is_not_json_is_said_to_be_none() {
    let customer = shared().customer().await;
    for body in ["", "{", r#"{"type":"a","actor":"b"} {}"#, "type=a", r#"{"type":"a","actor":"b",}"#] {
        send(&customer, body).await.problem(400, "malformed-json");
    }
    // Bytes that are no UTF-8.
    send(&customer, b"{\"type\":\"a\",\"actor\":\"\xff\"}".to_vec()).await.problem(400, "malformed-json");
}

#[tokio::test]
async fn json_of_any_depth_is_answered() {
    let customer = shared().customer().await;
    for levels in [100, 1_000, 400_000] {
        let pit = "[".repeat(levels) + &"]".repeat(levels);
        let answer = send(&customer, with("properties", &format!(r#"{{"a":{pit}}}"#))).await;
        assert_eq!(answer.pointers().len(), 1, "{levels}");
        let answer = send(&customer, pit).await;
        assert!(matches!(answer.status, 400 | 422), "{levels}: {}", answer.text);
    }
    customer.api.record(&json!({"type": "still.there", "actor": "ada"})).await;
}

#[tokio::test]
async fn every_fault_is_named_in_one_answer() {
    let customer = shared().customer().await;
    let body = json!({
        "id": "", "type": " page", "actor": "", "occurred_at": "1999-12-31T00:00:00Z", "properties": [], "context": {"a": "\u{0}"}
    });
    let answer = customer.api.post("/v1/activities", &body).await;
    assert_json_snapshot!("faults", answer.problem(422, "invalid-content"), {".instance" => "[request]"});
}
