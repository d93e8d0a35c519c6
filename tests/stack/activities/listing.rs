//! `GET /v1/activities`: the newest first, page by page.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::reports::folded;
use crate::support::shared;

#[tokio::test]
async fn the_feed_shows_the_newest_first_and_loses_nothing_between_pages() {
    let customer = shared().customer().await;
    let activities: Vec<Value> = (0..50)
        .map(|n| {
            let minute = n % 10;
            json!({"id": format!("n-{n}"), "type": format!("type.{}", n % 3), "actor": format!("actor-{}", n % 4),
                   "occurred_at": format!("2026-03-02T10:{minute:02}:00Z")})
        })
        .collect();
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    let all = folded(&customer, "/v1/activities?limit=1000", answer["last_position"].as_i64().unwrap()).await;
    let items = all["items"].as_array().unwrap();
    assert_eq!((items.len(), &all["next_cursor"]), (50, &Value::Null));
    let times: Vec<DateTime<Utc>> =
        items.iter().map(|item| item["occurred_at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "the newest does not come first");
    let paged = customer.api.pages("/v1/activities?limit=7").await;
    assert_eq!(&paged, items, "pages show something else than the whole");
    let count = async |query: &str| {
        let page = customer.api.get(&format!("/v1/activities?{query}")).await.json(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("type=type.1").await, 17);
    assert_eq!(count("actor=actor-3").await, 12);
    assert_eq!(count("from=2026-03-02T10:03:00Z&to=2026-03-02T10:05:00Z").await, 10);
    assert_eq!(count("limit=1").await, 1);
}
