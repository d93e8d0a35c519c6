use chrono::{DateTime, Utc};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Customer, eventually, send, shared};

const EVENTS: i64 = 250;

/// A customer with a few hundred events, in a known order.
async fn with_history() -> Customer {
    let customer = shared().customer().await;
    for start in [0, 100, 200] {
        let activities: Vec<Value> = (start..(start + 100).min(EVENTS))
            .map(|n| json!({"id": format!("n-{n}"), "type": format!("type.{}", n % 5), "actor": format!("actor-{}", n % 7)}))
            .collect();
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    }
    customer
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["activity_id"].as_str().unwrap()).collect()
}

fn positions(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["position"].as_i64().unwrap()).collect()
}

/// Every page, one after the other.
async fn pages(customer: &Customer, limit: i64, query: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/v1/history?after={after}&limit={limit}{query}");
        let page = customer.api.get(&path).await.json(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() as i64 <= limit);
        all.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => after = cursor.parse().unwrap(),
            None => return all,
        }
    }
}

async fn lines(customer: &Customer, path: &str) -> Vec<Value> {
    let request = customer.api.request(reqwest::Method::GET, path).header("accept", "application/x-ndjson");
    let answer = send(request).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/x-ndjson"),
        "{}",
        answer.text
    );
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn history_is_complete_and_in_order_however_it_is_read() {
    let customer = with_history().await;
    let all = lines(&customer, "/v1/history").await;
    let expected: Vec<String> = (0..EVENTS).map(|n| format!("n-{n}")).collect();
    assert_eq!(ids(&all), expected);
    assert!(positions(&all).is_sorted_by(|a, b| a < b));
    let times: Vec<DateTime<Utc>> =
        all.iter().map(|event| event["recorded_at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted());
    for limit in [1_000, 250, 249, 100, 7] {
        assert_eq!(pages(&customer, limit, "").await, all, "pages of {limit}");
    }
    // Without a limit a page has a hundred.
    assert_eq!(customer.api.get("/v1/history").await.json(200)["items"].as_array().unwrap().len(), 100);
    let after = positions(&all)[199];
    assert_eq!(lines(&customer, &format!("/v1/history?after={after}")).await, all[200..]);
    assert_eq!(lines(&customer, "/v1/history?limit=3").await, all[..3]);
}

#[tokio::test]
async fn an_event_has_everything_that_an_auditor_needs() {
    let customer = shared().customer().await;
    let request = customer
        .api
        .request(reqwest::Method::POST, "/v1/activities")
        .header("x-request-id", "test-request-1");
    send(request.json(
        &json!({"id": "a", "type": "order.paid", "actor": "ada", "occurred_at": "2026-02-01T00:00:00Z"}),
    ))
    .await
    .json(202);
    let history = customer.api.get("/v1/history").await.json(200);
    let event = &history["items"][0];
    assert_eq!(event["customer_id"], customer.id.as_str());
    assert_eq!(event["aggregate_id"], format!("{}:a", customer.id));
    assert_json_snapshot!("event", event, {
        ".partition" => "[partition]", ".position" => "[position]", ".recorded_at" => "[time]", ".event_id" => "[id]",
        ".customer_id" => "[customer]", ".aggregate_id" => "[customer]:a", ".metadata.subject" => "[token]",
    });
}

#[tokio::test]
async fn history_can_be_asked_for_a_part() {
    let customer = with_history().await;
    let all = lines(&customer, "/v1/history").await;
    let of = |path: &'static str| {
        let customer = &customer;
        async move { lines(customer, path).await.len() }
    };
    assert_eq!(of("/v1/history?type=type.3").await, 50);
    assert_eq!(of("/v1/history?actor=actor-2").await, (0..EVENTS).filter(|n| n % 7 == 2).count());
    assert_eq!(of("/v1/history?type=type.3&actor=nobody").await, 0);
    assert_eq!(pages(&customer, 20, "&type=type.0").await.len(), 50);
    let middle = all[100]["recorded_at"].as_str().unwrap().replace('+', "%2B");
    let since = lines(&customer, &format!("/v1/history?since={middle}")).await;
    let until = lines(&customer, &format!("/v1/history?until={middle}")).await;
    assert_eq!([until, since].concat(), all, "a time is not a precise cut");
}

/// More than a page looks at without being told where to look.
const LONG: usize = 21_000;

#[tokio::test]
async fn what_is_rare_in_a_long_history_is_on_one_page() {
    let customer = shared().customer().await;
    for start in (0..LONG).step_by(1_000) {
        let activities: Vec<Value> = (start..start + 1_000)
            .map(|n| json!({"id": format!("n-{n}"), "type": "common", "actor": "ada"}))
            .collect();
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    }
    customer.api.record(&json!({"id": "rare", "type": "rare", "actor": "eve"})).await;
    for query in ["type=rare", "actor=eve", "type=rare&actor=eve"] {
        let page = eventually("the read model knows where it lies", || async {
            let page = customer.api.get(&format!("/v1/history?{query}")).await.json(200);
            (page["next_cursor"] == Value::Null).then_some(page)
        })
        .await;
        assert_eq!(ids(page["items"].as_array().unwrap()), ["rare"], "{query}");
        assert_eq!(ids(&lines(&customer, &format!("/v1/history?{query}")).await), ["rare"], "{query}");
    }
    // What was recorded since is found too, whether it has been folded or not.
    customer.api.patch("/v1/activities/n-7", &json!({"type": "rare"})).await.json(200);
    let page = customer.api.get("/v1/history?type=rare").await.json(200);
    assert_eq!(ids(page["items"].as_array().unwrap()), ["rare", "n-7"]);
    let replayed = shared().operate(&["replay", "--customer", &customer.id, "--type", "rare"]).await;
    assert_eq!((replayed.code, replayed.out.lines().count()), (Some(0), 2), "{}", replayed.err);
}

#[tokio::test]
async fn another_customer_sees_nothing_of_it() {
    let (customer, stranger) = (with_history().await, shared().customer().await);
    assert_eq!(lines(&stranger, "/v1/history").await, Vec::<Value>::new());
    let stream = format!("/v1/history/{}:n-0", customer.id);
    stranger.api.get(&stream).await.problem(404, "stream-not-found");
    assert_eq!(customer.api.get(&stream).await.json(200)["sequence"], 1);
}

#[tokio::test]
async fn a_stream_is_shown_as_it_was() {
    let customer = shared().customer().await;
    customer.api.record(&json!({"id": "a/b", "type": "order.paid", "actor": "ada", "value": 1})).await;
    customer.api.patch("/v1/activities/a%2Fb", &json!({"value": 2})).await.json(200);
    customer.api.delete("/v1/activities/a%2Fb").await;
    let at = |query: &'static str| {
        let path = format!("/v1/history/{}:a%2Fb{query}", customer.id);
        let api = &customer.api;
        async move { api.get(&path).await }
    };
    let value = |answer: &Value| answer["state"]["content"]["value"].to_string();
    let now = at("").await.json(200);
    assert_eq!((now["sequence"].as_u64().unwrap(), &now["state"]["redacted"]), (3, &json!(true)));
    let first = at("?at=1").await.json(200);
    assert_eq!((value(&first), first["events"].as_array().unwrap().len()), ("1.0".to_owned(), 1));
    assert_eq!(value(&at("?at=2").await.json(200)), "2.0");
    at("?at=2000-01-01T00:00:00Z").await.problem(404, "stream-not-found");
    at("?at=yesterday").await.problem(400, "invalid-query");
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let customer = shared().customer().await;
    for query in ["limit=0", "limit=1001", "limit=x", "after=-1", "after=x", "since=yesterday", "colour=red"]
    {
        customer.api.get(&format!("/v1/history?{query}")).await.problem(400, "invalid-query");
    }
}
