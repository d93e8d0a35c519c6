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
        (r#"{"type":"t "}"#, vec!["/type"]),
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
        for path in ["/v1/activities/a", "/v1/activities/nothing"] {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_the_last_digit_is_one_and_keeps_all_of_them() {
    let house = House::start().await;
    let body = r#"{"id":"a","type":"t","actor":"ada","properties":{"wei":20000000000000000001}}"#;
    house.send(Method::POST, "/v1/activities", body).await;
    for (properties, sequence) in [
        (r#"{"wei":20000000000000000002}"#, 2),
        (r#"{"wei": 20000000000000000002}"#, 2),
        (r#"{"wei":20000000000000000002.0}"#, 2),
        (r#"{"wei":2.0000000000000000002e19}"#, 2),
        (r#"{"wei":20000000000000000003}"#, 3),
    ] {
        let body = format!(r#"{{"properties":{properties}}}"#);
        let answer = house.send(Method::PATCH, "/v1/activities/a", body).await;
        assert_eq!(
            (answer.status, &answer.body["sequence"]),
            (StatusCode::OK, &json!(sequence)),
            "{properties}"
        );
    }
    let read = house.send(Method::GET, "/v1/activities/a", "").await;
    assert!(read.text.contains(r#"{"wei":20000000000000000003}"#), "{}", read.text);
    // Nor do the sides of the correction, or its state, go through doubles.
    let stream = house.send(Method::GET, &format!("/v1/history/{}:a", house.customer), "").await.text;
    for digit in 1..=3 {
        assert!(stream.contains(&format!(r#"{{"wei":2000000000000000000{digit}}}"#)), "{stream}");
    }
    let refused = house.send(Method::PATCH, "/v1/activities/a", r#"{"value":9007199254740993}"#).await;
    assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/value"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_reads_one_event_however_many_there_are() {
    let house = House::start().await;
    house.record("a").await;
    house.send(Method::PATCH, "/v1/activities/a", r#"{"value":13}"#).await;
    // What lies between the first event and the last one is not read: it could not be.
    sqlx::query(
        "INSERT INTO events
         SELECT partition, position + 1, sequence + 1, recorded_at, gen_random_uuid(), customer_id, aggregate_type,
                aggregate_id, event_type, '99.0.0', payload, metadata
           FROM events WHERE sequence = 2
         UNION ALL
         SELECT partition, position + 2, sequence + 2, recorded_at, gen_random_uuid(), customer_id, aggregate_type,
                aggregate_id, event_type, event_version, payload, metadata
           FROM events WHERE sequence = 2",
    )
    .execute(house.database.pool())
    .await
    .unwrap();
    sqlx::query("UPDATE log_head SET position = position + 2 WHERE position > 0")
        .execute(house.database.pool())
        .await
        .unwrap();
    let corrected =
        with_if_match(&house, Method::PATCH, "/v1/activities/a", "\"4\"", r#"{"value":14}"#).await;
    assert_eq!(
        (corrected.status, &corrected.body["sequence"]),
        (StatusCode::OK, &json!(5)),
        "{}",
        corrected.text
    );
    assert_eq!((&corrected.body["value"], &corrected.body["position"]), (&json!(14.0), &json!(1)));
    let redacted = house.send(Method::DELETE, "/v1/activities/a", "").await;
    assert_eq!(redacted.status, StatusCode::NO_CONTENT, "{}", redacted.text);
}

/// Everything but letters and digits, as a client writes it that takes no chances.
fn escaped(id: &str) -> String {
    id.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_can_be_read_corrected_and_redacted_whatever_its_id_is() {
    let house = House::start().await;
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let words: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|path| path.strip_prefix("/v1/activities/"))
        .filter(|word| !word.contains('{'))
        .collect();
    assert!(words.contains(&"batch"));
    let others = [
        "live",
        "self",
        ".",
        "..",
        "a/b",
        "/a",
        "a/",
        "a//b",
        "a/../b",
        "batch/x",
        "batch/",
        "%",
        "%2F",
        "%2e%2e",
        "a+b",
        "a b",
        " ",
        "?id=x",
        "#",
        "\\",
        "é\u{2028}",
        "🙂",
        "{id}",
        "*",
        ":",
        "a:b",
    ];
    for id in words.into_iter().chain(others) {
        let body = json!({"id": id, "type": "t", "actor": "ada", "value": 1}).to_string();
        let answer = house.send(Method::POST, "/v1/activities", body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{id}: {}", answer.text);
        let (path, query) =
            (format!("/v1/activities/{}", escaped(id)), format!("/v1/activities/?id={}", escaped(id)));
        for (value, address) in [(2, &path), (3, &query)] {
            let corrected = house.send(Method::PATCH, address, format!(r#"{{"value":{value}}}"#)).await;
            assert_eq!(corrected.status, StatusCode::OK, "PATCH {address}: {}", corrected.text);
            let read = house.send(Method::GET, address, "").await;
            assert_eq!((&read.body["id"], &read.body["sequence"]), (&json!(id), &json!(value)), "{address}");
        }
        let history =
            house.send(Method::GET, &format!("/v1/history/{}%3A{}", house.customer, escaped(id)), "").await;
        assert_eq!(history.body["sequence"], 3, "{id}: {}", history.text);
        assert_eq!(house.send(Method::DELETE, &path, "").await.status, StatusCode::NO_CONTENT, "{id}");
        assert_eq!(house.send(Method::GET, &query, "").await.status, StatusCode::GONE, "{id}");
    }
    // Slashes need no escape.
    house.record("c/d/e").await;
    assert_eq!(house.send(Method::GET, "/v1/activities/c/d/e", "").await.body["id"], "c/d/e");
    for (path, status) in
        [("/v1/activities/", 400), ("/v1/activities/?id=", 404), ("/v1/activities/?id=a&x=1", 400)]
    {
        assert_eq!(house.send(Method::GET, path, "").await.status.as_u16(), status, "{path}");
    }
}
