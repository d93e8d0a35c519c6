use domain::CustomerId;
use domain::token::Scope;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::house::{Answer, House};

async fn with_if_match(house: &House, method: Method, path: &str, if_match: &str, body: &str) -> Answer {
    let headers = [("if-match", if_match)];
    house.send_as(house.customer, &Scope::ALL, method, path, &headers, body.to_owned()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_what_is_read_from_then_on() {
    let house = House::start().await;
    house.record("order/1 é").await;
    let path = "/v1/activities/order%2F1%20%C3%A9";
    let read = house.send(Method::GET, path, "").await;
    assert_eq!((&read.body["id"], &read.body["value"]), (&json!("order/1 é"), &json!(12.5)));
    assert_eq!(read.headers["etag"], "\"1\"");
    let corrected =
        with_if_match(&house, Method::PATCH, path, "\"1\"", r#"{"type":"order.refunded","value":null}"#)
            .await;
    assert_eq!(corrected.status, StatusCode::OK, "{}", corrected.text);
    assert_eq!(corrected.headers["etag"], "\"2\"");
    let read = house.send(Method::GET, path, "").await;
    assert_eq!(read.body, corrected.body);
    assert_eq!((&read.body["type"], read.body.get("value")), (&json!("order.refunded"), None));
    assert_eq!((&read.body["sequence"], &read.body["position"]), (&json!(2), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_sequence_changes_nothing() {
    let house = House::start().await;
    house.record("a").await;
    house.send(Method::PATCH, "/v1/activities/a", r#"{"value":13}"#).await;
    for (method, body) in [(Method::PATCH, r#"{"value":14}"#), (Method::DELETE, "")] {
        for if_match in ["\"1\"", "W/\"2\""] {
            let answer = with_if_match(&house, method.clone(), "/v1/activities/a", if_match, body).await;
            assert_eq!(answer.problem(), (412, "/problems/sequence-mismatch"));
        }
        let answer = with_if_match(&house, method, "/v1/activities/a", "x", body).await;
        assert_eq!(answer.problem(), (400, "/problems/invalid-if-match"));
    }
    assert_eq!(house.send(Method::GET, "/v1/activities/a", "").await.body["value"], 13.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_activity_is_gone_and_its_id_stays_taken() {
    let house = House::start().await;
    house.record("a").await;
    let redacted = with_if_match(&house, Method::DELETE, "/v1/activities/a", "\"1\"", "").await;
    assert_eq!((redacted.status, redacted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    for (method, body) in [(Method::GET, ""), (Method::PATCH, r#"{"value":1}"#), (Method::DELETE, "")] {
        let answer = house.send(method, "/v1/activities/a", body).await;
        assert_eq!(answer.problem(), (410, "/problems/activity-redacted"));
    }
    let reused = house.send(Method::POST, "/v1/activities", r#"{"id":"a","type":"t","actor":"x"}"#).await;
    assert_eq!(reused.problem(), (409, "/problems/activity-id-reused"));
    let history = house.send(Method::GET, "/v1/history", "").await;
    let types: Vec<_> =
        history.body["items"].as_array().unwrap().iter().map(|e| e["event_type"].clone()).collect();
    assert_eq!(types, ["ActivityRecorded", "ActivityRedacted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_must_keep_the_rules() {
    let house = House::start().await;
    house.record("a").await;
    for (body, pointers) in [
        (r#"{"type":"T"}"#, vec!["/type"]),
        (r#"{"actor":"bob"}"#, vec!["/actor"]),
        (r#"{"occurred_at":"1999-01-01T00:00:00Z"}"#, vec!["/occurred_at"]),
        (r#"{"properties":[1]}"#, vec!["/properties"]),
    ] {
        let answer = house.send(Method::PATCH, "/v1/activities/a", body).await;
        assert_eq!((answer.problem().0, answer.pointers()), (422, pointers), "{body}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customers_activities_do_not_exist() {
    let house = House::start().await;
    house.record("a").await;
    let other = CustomerId(Uuid::now_v7());
    for (method, body) in [(Method::GET, ""), (Method::PATCH, r#"{"value":1}"#), (Method::DELETE, "")] {
        for path in ["/v1/activities/a", "/v1/activities/nothing", "/v1/activities/%00"] {
            let answer = house.send_as(other, &Scope::ALL, method.clone(), path, &[], body).await;
            assert_eq!(answer.problem(), (404, "/problems/activity-not-found"), "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_at_once_follow_each_other() {
    let house = House::start().await;
    house.record("a").await;
    let values = [1, 2, 3, 4];
    let bodies = values.map(|value| format!(r#"{{"value":{value}}}"#));
    let answers = bodies.map(|body| house.send(Method::PATCH, "/v1/activities/a", body));
    for answer in futures::future::join_all(answers).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    assert_eq!(house.send(Method::GET, "/v1/activities/a", "").await.body["sequence"], 5);
}
