use std::collections::HashSet;

use domain::Json;
use serde_json::{Value, json};

use super::house::{House, at, content, customer};

#[tokio::test(flavor = "multi_thread")]
async fn activities_are_listed_in_pages_the_newest_first() {
    let (house, reports) = House::start().await;
    let customer = customer();
    // Many at the same instant, so that the time alone is no cursor.
    for number in 0..25 {
        let time = if number % 5 == 0 { "2026-01-02T10:00:00Z" } else { "2026-01-01T10:00:00.000001Z" };
        house.record(customer, &number.to_string(), content("page.viewed", "ada", time)).await;
    }
    house.folded().await;
    let mut seen: Vec<(String, i64)> = Vec::new();
    let mut cursor = String::new();
    loop {
        let body = reports.body(customer, &format!("/v1/activities?limit=4{cursor}")).await;
        for item in body["items"].as_array().unwrap() {
            seen.push((item["occurred_at"].as_str().unwrap().to_owned(), item["position"].as_i64().unwrap()));
        }
        let Some(next) = body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 25, "something was repeated");
    assert!(seen.is_sorted_by_key(|(time, position)| std::cmp::Reverse((at(time), *position))), "{seen:?}");
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_an_activity_as_it_was_recorded() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let mut paid = content("order.paid", "ada", "2026-01-01T10:00:00.123456Z");
    paid.value = Some(49.9);
    paid.properties = Some(Json::try_from(&json!({"sku": ["a", 1.5], "nested": {"deep": true}})).unwrap());
    paid.context = Some(Json::try_from(&json!({"ip": "203.0.113.7"})).unwrap());
    let position = house.record(customer, "order/1 ✓", paid).await;
    house.folded().await;
    let body = reports.body(customer, "/v1/activities").await;
    let item = &body["items"][0];
    assert_eq!(
        json!([
            item["id"],
            item["type"],
            item["actor"],
            item["occurred_at"],
            item["value"],
            item["properties"],
            item["context"]
        ]),
        json!(["order/1 ✓", "order.paid", "ada", "2026-01-01T10:00:00.123456Z", 49.9,
               {"sku": ["a", 1.5], "nested": {"deep": true}}, {"ip": "203.0.113.7"}])
    );
    assert_eq!((&item["position"], &item["sequence"]), (&json!(position), &json!(1)));
    assert_eq!(item["partition"], house.partition(customer).0);
    assert_eq!(body["as_of"]["position"], position);
    assert_eq!((&body["as_of"]["time"], &body["next_cursor"]), (&item["recorded_at"], &Value::Null));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_only_what_is_asked_for() {
    let (house, reports) = House::start().await;
    let (customer, other) = (customer(), customer());
    for (id, kind, actor, time) in [
        ("1", "page.viewed", "ada", "2026-01-01T10:00:00Z"),
        ("2", "order.paid", "ada", "2026-01-02T10:00:00Z"),
        ("3", "page.viewed", "bob", "2026-01-03T10:00:00Z"),
        ("4", "page.viewed", "ada & co", "2026-01-04T10:00:00Z"),
    ] {
        house.record(customer, id, content(kind, actor, time)).await;
    }
    house.record(other, "5", content("page.viewed", "ada", "2026-01-05T10:00:00Z")).await;
    house.folded().await;
    for (query, ids) in [
        ("", vec!["4", "3", "2", "1"]),
        ("type=page.viewed", vec!["4", "3", "1"]),
        ("actor=ada", vec!["2", "1"]),
        ("actor=ada%20%26%20co", vec!["4"]),
        ("actor=ada&type=page.viewed", vec!["1"]),
        ("from=2026-01-02T10:00:00Z&to=2026-01-04T10:00:00Z", vec!["3", "2"]),
        ("type=nothing.such", vec![]),
    ] {
        let body = reports.body(customer, &format!("/v1/activities?{query}")).await;
        let found: Vec<&str> =
            body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(found, ids, "{query}");
    }
    reports.stop().await;
}
