use std::time::Duration;

use domain::CustomerId;
use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::House;

/// A page of the list, once its newest entry says this.
async fn listed(house: &House, newest: &str) -> Vec<Value> {
    for _ in 0..400 {
        let page = house.send(Method::GET, "/v1/ingest/rejections?limit=1000", "").await.body;
        let items = page["items"].as_array().unwrap().clone();
        if items.first().is_some_and(|item| item["errors"][0]["pointer"] == newest) {
            return items;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the list never began with {newest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_thousand_of_a_customer_are_kept_newest_first() {
    let house = House::start().await;
    for _ in 0..3 {
        let batch = json!({"activities": vec![json!({"type": "", "actor": "ada"}); 600]}).to_string();
        let answer = house.send(Method::POST, "/v1/activities/batch", batch).await;
        assert_eq!(answer.problem(), (422, "/problems/invalid-content"));
    }
    let last = json!({"activities": [{"type": "a", "actor": ""}, {"type": "a", "actor": "ada"}]}).to_string();
    assert_eq!(house.send(Method::POST, "/v1/activities/batch", last).await.status.as_u16(), 202);
    let items = listed(&house, "/actor").await;
    assert_eq!(items.len(), 1_000);
    assert_eq!((&items[0]["protocol"], &items[0]["index"]), (&json!("native"), &json!(0)));
    assert_eq!((&items[0]["request_id"], &items[1]["index"]), (&json!("r-1"), &json!(599)));
    assert_eq!(items[0]["subject"], json!(format!("member:{}", Uuid::from_u128(1))));
    let ids: Vec<i64> = items.iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older));

    let page = house.send(Method::GET, "/v1/ingest/rejections?limit=2", "").await.body;
    assert_eq!(page["next_cursor"], items[1]["id"]);
    let next = format!("/v1/ingest/rejections?limit=2&cursor={}", items[1]["id"].as_str().unwrap());
    assert_eq!(house.send(Method::GET, &next, "").await.body["items"][0], items[2]);

    let other = CustomerId(Uuid::now_v7());
    for (scopes, status) in [(&[Scope::Read][..], 200), (&[Scope::Admin], 200), (&[Scope::Ingest], 403)] {
        let answer = house.send_as(other, scopes, Method::GET, "/v1/ingest/rejections", &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{scopes:?}");
        assert!(status != 200 || answer.body["items"] == json!([]), "somebody else's: {}", answer.text);
    }
}
