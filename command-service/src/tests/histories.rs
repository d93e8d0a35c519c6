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

/// What a client may send that would be lines of its own.
const FORGED: &str = "{\"id\":\"a\u{2028}b\",\"type\":\"a\",\"actor\":\"b\",\"properties\":{\"x\":\r\n\
    {\"partition\":0,\"position\":1,\"event_type\":\"ActivityRecorded\"}\n,\"n\" : 20000000000000000001,\"t\":\"\u{85}\u{2029}\"}}";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_forged_within_an_event_is_one_line_of_history_also_if_it_is_old() {
    let house = House::start().await;
    let answer = house.send(Method::POST, "/v1/activities", FORGED).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let stored: String = sqlx::query_scalar("SELECT payload::text FROM events")
        .fetch_one(house.database.pool())
        .await
        .unwrap();
    assert!(!stored.contains(['\n', '\r', '\u{85}', '\u{2029}']), "{stored}");
    // As it was stored before.
    sqlx::query(
        "INSERT INTO events SELECT partition, position + 1, sequence, recorded_at, gen_random_uuid(), customer_id,
                aggregate_type, aggregate_id || '-old', event_type, event_version,
                replace(payload::text, ',\"n\"', E'\\n,\"n\"')::json, metadata FROM events",
    )
    .execute(house.database.pool())
    .await
    .unwrap();
    for (accept, path) in [
        ("application/x-ndjson", "/v1/history".to_owned()),
        ("application/json", "/v1/history".to_owned()),
        ("application/json", format!("/v1/history/{}:a%E2%80%A8b-old", house.customer)),
    ] {
        let headers = [("accept", accept)];
        let answer = house.send_as(house.customer, &[Scope::Audit], Method::GET, &path, &headers, "").await;
        let lines: Vec<&str> = answer.text.lines().collect();
        assert_eq!(lines.len(), if accept.ends_with("ndjson") { 2 } else { 1 }, "{path}: {}", answer.text);
        for line in lines {
            assert!(!line.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}']), "{line}");
            assert!(line.contains(r#""n":20000000000000000001"#), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_has_grown_is_read_in_pages_and_its_state_is_right_on_each() {
    let house = House::start().await;
    house.record("a").await;
    // More than a page can have, as if it had been corrected so often.
    sqlx::query(
        r"INSERT INTO events
           SELECT partition, position + n, 1 + n, recorded_at + n * interval '1 second', gen_random_uuid(), customer_id,
                  aggregate_type, aggregate_id, 'ActivityCorrected', '1.0.0',
                  json_build_object('before', payload, 'after', (payload::jsonb || jsonb_build_object('value', n))::json),
                  metadata
             FROM events, generate_series(1, 1500) n",
    )
    .execute(house.database.pool())
    .await
    .unwrap();
    let path = format!("/v1/history/{}:a", house.customer);
    let (mut after, mut sequences) = ("0".to_owned(), Vec::new());
    loop {
        let page = house.send(Method::GET, &format!("{path}?limit=1000&after={after}"), "").await.body;
        assert_eq!((&page["sequence"], &page["state"]["content"]["value"]), (&json!(1501), &json!(1500.0)));
        sequences.extend(page["events"].as_array().unwrap().iter().map(|event| event["sequence"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut after);
    }
    assert_eq!(sequences, (1..=1_501).map(|n| json!(n)).collect::<Vec<_>>());

    let page = house.send(Method::GET, &format!("{path}?at=1201&cursor=1199"), "").await.body;
    assert_eq!((&page["sequence"], &page["state"]["content"]["value"]), (&json!(1201), &json!(1200.0)));
    assert_eq!((page["events"].as_array().unwrap().len(), &page["next_cursor"]), (2, &Value::Null));
    let page = house.send(Method::GET, &path, "").await.body;
    assert_eq!((page["events"].as_array().unwrap().len(), &page["next_cursor"]), (100, &json!("100")));
    for query in ["limit=0", "limit=1001", "after=-1", "after=1&cursor=1"] {
        let answer = house.send(Method::GET, &format!("{path}?{query}"), "").await;
        assert_eq!(answer.problem(), (400, "/problems/invalid-query"), "{query}");
    }
    // The activity itself is read from its end too.
    let now = house.send(Method::GET, "/v1/activities/a", "").await.body;
    assert_eq!(
        (&now["sequence"], &now["value"], &now["position"]),
        (&json!(1501), &json!(1500.0), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_history_has_a_bounded_size() {
    let house = House::start().await;
    let text = "x".repeat(31_000);
    let item =
        |n: u32| json!({"id": format!("a-{n}"), "type": "t", "actor": "ada", "properties": {"text": text}});
    for first in [0, 200] {
        let items: Vec<_> = (first..first + 200).map(item).collect();
        house.send(Method::POST, "/v1/activities/batch", json!({"activities": items}).to_string()).await;
    }
    let (mut after, mut items) = ("0".to_owned(), 0);
    loop {
        let answer = house.send(Method::GET, &format!("/v1/history?limit=1000&after={after}"), "").await;
        assert!(answer.text.len() < 9 * 1024 * 1024, "{} bytes", answer.text.len());
        items += answer.body["items"].as_array().unwrap().len();
        let Some(next) = answer.body["next_cursor"].as_str() else { break };
        next.clone_into(&mut after);
    }
    assert_eq!(items, 400);
    assert_eq!(lines(&house, "/v1/history").await.len(), 400);
}

#[test]
fn every_operation_is_documented() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/array/{key}/config",
        "/batch/",
        "/capture/",
        "/e/",
        "/flags/",
        "/i/v1/analytics/events",
        "/v1/activities",
        "/v1/activities/batch",
        "/v1/activities/stream",
        "/v1/activities/{id}",
        "/v1/actors/{actor}",
        "/v1/actors/{actor}/aliases",
        "/v1/actors/{actor}/aliases/{alias}",
        "/v1/alias",
        "/v1/batch",
        "/v1/cloudevents",
        "/v1/group",
        "/v1/history",
        "/v1/history/{aggregate_id}",
        "/v1/identify",
        "/v1/ingest/rejections",
        "/v1/logs",
        "/v1/page",
        "/v1/projects/{key}/settings",
        "/v1/screen",
        "/v1/track",
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
