use domain::CustomerId;
use domain::token::Scope;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::House;

async fn post(house: &House, body: &str) -> super::house::Answer {
    house.send(Method::POST, "/v1/activities", body.to_owned()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_in_the_log() {
    let house = House::start().await;
    let answer = post(&house, r#"{"id":"a","type":"order.paid","actor":"ada","value":12.5}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.body, json!({"id": "a", "position": 1, "duplicate": false}));
    let made = post(&house, r#"{"type":"order.paid","actor":"ada"}"#).await;
    assert_eq!(Uuid::parse_str(made.body["id"].as_str().unwrap()).unwrap().get_version_num(), 7);
    let rows: Vec<(i64, String, Value)> =
        sqlx::query_as("SELECT position, aggregate_id, metadata::jsonb FROM events ORDER BY position")
            .fetch_all(house.database.pool())
            .await
            .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].0, &rows[0].1), (1, &format!("{}:a", house.customer)));
    assert_eq!(rows[0].2, json!({"request_id": "r-1", "subject": format!("member:{}", Uuid::from_u128(1))}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_gets_the_first_answer_and_other_content_a_conflict() {
    let house = House::start().await;
    let first = post(&house, r#"{"id":"a","type":"t","actor":"ada","properties":{"x":1,"y":[2]}}"#).await;
    let position = first.body["position"].clone();
    let again =
        post(&house, r#"{ "properties": {"y":[2],"x":1}, "id":"a", "actor":"ada", "type":"t" }"#).await;
    assert_eq!(again.body, json!({"id": "a", "position": position, "duplicate": true}));
    let other = post(&house, r#"{"id":"a","type":"t","actor":"bob","properties":{"x":1,"y":[2]}}"#).await;
    assert_eq!(other.problem(), (409, "/problems/activity-id-reused"));
    // Another customer's ids are its own.
    let elsewhere = house
        .send_as(
            CustomerId(Uuid::now_v7()),
            &[Scope::Ingest],
            Method::POST,
            "/v1/activities",
            &[],
            r#"{"id":"a","type":"t","actor":"bob"}"#,
        )
        .await;
    assert_eq!((elsewhere.status.as_u16(), &elsewhere.body["duplicate"]), (202, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_may_write_its_numbers_otherwise_and_may_not_change_one() {
    let house = House::start().await;
    let body = |value: &str, wei: &str, one: &str| {
        format!(
            r#"{{"id":"a","type":"t","actor":"ada","value":{value},"properties":{{"wei":{wei},"n":[{one},0]}},"context":{{"n":{one}}}}}"#
        )
    };
    let first = post(&house, &body("100", "20000000000000000001", "1")).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
    for (value, wei, one) in [
        ("1e2", "20000000000000000001", "1.0"),
        ("100.0", "2.0000000000000000001e19", "1e0"),
        ("1.00e+2", "20000000000000000001.0", "10e-1"),
    ] {
        let again = post(&house, &body(value, wei, one)).await;
        assert_eq!(again.body["duplicate"], json!(true), "{value} {wei} {one}: {}", again.text);
    }
    for (value, wei, one) in [
        ("100", "20000000000000000002", "1"),
        ("100", "2e19", "1"),
        ("100", "20000000000000000001", "1.00000000000000000001"),
        ("100.00000000000001", "20000000000000000001", "1"),
    ] {
        let other = post(&house, &body(value, wei, one)).await;
        assert_eq!(other.problem(), (409, "/problems/activity-id-reused"), "{value} {wei} {one}");
    }
    for value in ["9007199254740993", "1e-400", "0.1000000000000000056"] {
        let refused = post(&house, &body(value, "1", "1")).await;
        assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/value"]), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_posts_of_the_same_id_at_once_are_recorded_once() {
    let house = House::start().await;
    let body = r#"{"id":"a","type":"t","actor":"ada"}"#;
    let answers = futures::future::join_all((0..1_000).map(|_| post(&house, body))).await;
    let new = answers.iter().filter(|answer| answer.body["duplicate"] == json!(false)).count();
    assert_eq!(new, 1);
    assert!(
        answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED && answer.body["position"] == 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_activity_is_named() {
    let house = House::start().await;
    let deep =
        format!(r#"{{"type":"t","actor":"a","properties":{}}}"#, r#"{"a":"#.repeat(9) + "1" + &"}".repeat(9));
    let cases = [
        (r#"{"type":"t ","actor":""}"#, vec!["/type", "/actor"]),
        (r#"{"actor":"a"}"#, vec!["/type"]),
        (r#"{"type":"t","actor":"a","color":1}"#, vec!["/color"]),
        (r#"{"type":"t","type":"t","actor":"a"}"#, vec!["/type"]),
        (r#"{"type":"t","actor":"a","value":1e999}"#, vec!["/value"]),
        (r#"{"type":"t","actor":"a","occurred_at":"soon"}"#, vec!["/occurred_at"]),
        (r#"{"type":"t","actor":"a","occurred_at":"1999-01-01T00:00:00Z"}"#, vec!["/occurred_at"]),
        (r#"{"type":"t","actor":"a\u0000b"}"#, vec!["/actor"]),
        (r#"{"type":"t","actor":"\ud800"}"#, vec!["/actor"]),
        (r#"{"type":"t","actor":"a","properties":{"a":1,"a":2}}"#, vec!["/properties/a"]),
        (&deep, vec!["/properties/a/a/a/a/a/a/a/a"]),
    ];
    for (body, pointers) in cases {
        let answer = post(&house, body).await;
        assert_eq!((answer.problem().0, answer.pointers()), (422, pointers), "{body}: {}", answer.text);
    }
    assert_eq!(post(&house, "{").await.problem(), (400, "/problems/malformed-json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_needs_its_scope() {
    let house = House::start().await;
    house.record("a").await;
    let routes = [
        (Method::POST, "/v1/activities", Scope::Ingest),
        (Method::POST, "/v1/activities/batch", Scope::Ingest),
        (Method::PATCH, "/v1/activities/a", Scope::Ingest),
        (Method::DELETE, "/v1/activities/a", Scope::Ingest),
        (Method::GET, "/v1/activities/a", Scope::Read),
        (Method::GET, "/v1/history", Scope::Audit),
        (Method::GET, "/v1/history/x", Scope::Audit),
    ];
    for (method, path, scope) in routes {
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        let answer = house.send_as(house.customer, &others, method.clone(), path, &[], "{}").await;
        assert_eq!(answer.problem(), (403, "/problems/scope-missing"), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_is_never_acknowledged() {
    let house = House::start_with(&[("DAYBOOK_APPEND_RETRY_MAX_MS", "100")]).await;
    house.record("before").await;
    sqlx::query("ALTER TABLE events RENAME TO away").execute(house.database.pool()).await.unwrap();
    let answer = post(&house, r#"{"id":"a","type":"t","actor":"a"}"#).await;
    assert!(answer.status.is_server_error(), "{}", answer.text);
    sqlx::query("ALTER TABLE away RENAME TO events").execute(house.database.pool()).await.unwrap();
    assert_eq!(house.record("a").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_said_at_once() {
    let house = House::start_with(&[("DAYBOOK_APPEND_QUEUE_EVENTS_MAX", "2")]).await;
    let three =
        r#"{"activities":[{"type":"t","actor":"a"},{"type":"t","actor":"a"},{"type":"t","actor":"a"}]}"#;
    let answer = house.send(Method::POST, "/v1/activities/batch", three).await;
    assert_eq!(answer.problem(), (503, "/problems/overloaded"));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(house.record("a").await, 1);
}
