use domain::CustomerId;
use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::House;

async fn lines(house: &House, path: &str) -> Vec<Value> {
    let headers = [("accept", "application/x-ndjson")];
    let answer = house.send_as(house.customer, &[Scope::Audit], Method::GET, path, &headers, "").await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_history_lose_nothing_and_repeat_nothing() {
    let house = House::start().await;
    for n in 0..7 {
        house.record(&format!("a-{n}")).await;
    }
    let (mut after, mut ids, mut pages) = ("0".to_owned(), Vec::new(), 0);
    loop {
        let page = house.send(Method::GET, &format!("/v1/history?after={after}&limit=3"), "").await.body;
        pages += 1;
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["activity_id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut after);
    }
    assert_eq!((ids, pages), ((0..7).map(|n| json!(format!("a-{n}"))).collect(), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_one_customers_as_a_page_and_as_a_stream() {
    let house = House::start().await;
    house.record("a").await;
    house.send(Method::POST, "/v1/activities", r#"{"id":"b","type":"page.viewed","actor":"bob"}"#).await;
    let other = CustomerId(Uuid::now_v7());
    let body = r#"{"id":"x","type":"t","actor":"eve"}"#;
    house.send_as(other, &Scope::ALL, Method::POST, "/v1/activities", &[], body).await;

    let page = house.send(Method::GET, "/v1/history", "").await.body;
    assert_eq!(page["items"], Value::Array(lines(&house, "/v1/history").await));
    let first = &page["items"][0];
    assert_eq!(first["payload"]["type"], "order.paid");
    for field in [
        "partition",
        "position",
        "aggregate_type",
        "aggregate_id",
        "sequence",
        "event_type",
        "event_version",
        "recorded_at",
        "metadata",
    ] {
        assert!(!first[field].is_null(), "{field}");
    }
    let ids = async |query: &str| -> Vec<Value> {
        let all = lines(&house, &format!("/v1/history?{query}")).await;
        all.into_iter().map(|event| event["activity_id"].clone()).collect()
    };
    assert_eq!(ids("actor=bob").await, ["b"]);
    assert_eq!(ids("type=order.paid").await, ["a"]);
    assert_eq!(ids("limit=1").await, ["a"]);
    assert_eq!(ids("until=2020-01-01T00:00:00Z").await, [""; 0]);
    assert_eq!(ids("since=2020-01-01T00:00:00Z").await, ["a", "b"]);
    assert_eq!(ids("until=2020-01-01").await, [""; 0], "a day stands for its beginning");
    assert_eq!(ids("since=2020-01-01").await, ["a", "b"]);
    let faults = [
        ("limit=0", "limit must be 1 to 1000"),
        ("limit=1001", "limit must be 1 to 1000"),
        ("after=-1", "after must not be negative"),
        ("after=x", "after must be a whole number"),
        ("page=2", "page is unknown"),
        ("after=1&cursor=1", "cursor means the same as after"),
        ("after=1&after=2", "after is given more than once"),
        ("type=a%00", "type contains a NUL character"),
        ("actor=%00", "actor contains a NUL character"),
        ("since=2026-03-01T00:00:00", "since has no zone"),
        ("since=2026-03-01T00:00:00+02:00", "write %2B for a +"),
        ("until=-9999-01-01T00:00:00Z", "until must lie between the years"),
        ("until=%2B262000-01-01T00:00:00Z", "until must lie between the years"),
    ];
    for (query, told) in faults {
        let answer = house.send(Method::GET, &format!("/v1/history?{query}"), "").await;
        assert_eq!(answer.problem(), (400, "/problems/invalid-query"), "{query}");
        assert!(answer.body["detail"].as_str().unwrap().contains(told), "{query}: {}", answer.body);
    }
    for path in ["/v1/activities/a%00b", "/v1/history/a%00b", "/v1/history/%0a"] {
        let answer = house.send(Method::GET, path, "").await;
        assert_eq!(answer.problem(), (400, "/problems/invalid-path"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_shown_as_it_was_at_any_sequence() {
    let house = House::start().await;
    house.record("a").await;
    house.send(Method::PATCH, "/v1/activities/a", r#"{"value":13}"#).await;
    house.send(Method::DELETE, "/v1/activities/a", "").await;
    let stream = format!("{}:a", house.customer);
    let at = async |at: &str| house.send(Method::GET, &format!("/v1/history/{stream}{at}"), "").await;
    let now = at("").await.body;
    assert_eq!((&now["sequence"], &now["state"]["redacted"]), (&json!(3), &json!(true)));
    let first = at("?at=1").await.body;
    assert_eq!((&first["sequence"], &first["state"]["content"]["value"]), (&json!(1), &json!(12.5)));
    assert_eq!(first["events"].as_array().unwrap().len(), 1);
    assert_eq!(at("?at=2").await.body["state"]["content"]["value"], 13.0);
    assert_eq!(at("?at=2020-01-01T00:00:00Z").await.problem(), (404, "/problems/stream-not-found"));
    assert_eq!(at("?at=then").await.problem(), (400, "/problems/invalid-query"));
    let other = house
        .send_as(
            CustomerId(Uuid::now_v7()),
            &Scope::ALL,
            Method::GET,
            &format!("/v1/history/{stream}"),
            &[],
            "",
        )
        .await;
    assert_eq!(other.problem(), (404, "/problems/stream-not-found"));
}

#[test]
fn every_operation_is_documented() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/v1/activities",
        "/v1/activities/batch",
        "/v1/activities/{id}",
        "/v1/history",
        "/v1/history/{aggregate_id}",
    ];
    assert_eq!(paths, expected);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["description"].is_string(), "{place}");
            assert!(operation["security"].is_array() && operation["tags"].is_array(), "{place}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(status.starts_with(['4', '5']), is_problem, "{place} {status}");
            }
        }
    }
}
