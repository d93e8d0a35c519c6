use chrono::Utc;
use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};

use super::{House, pointers, post, recorded, rejections};

#[tokio::test(flavor = "multi_thread")]
async fn events_become_activities_without_their_key() {
    let house = House::start().await;
    let time = "2026-03-01T09:30:00Z";
    let body = json!({"api_key": "not looked at", "sent_at": Utc::now(), "batch": [
        {"event": "$pageview", "uuid": "u-1", "timestamp": time,
         "properties": {"token": "a secret", "distinct_id": "ada", "$browser": "Firefox", "value": 3}},
        {"event": "購入", "distinct_id": "ada", "timestamp": time, "$set": {"plan": "pro"}, "properties": {}},
        {"event": "$identify", "distinct_id": "ada", "properties": {"$anon_distinct_id": "v-1"}},
        {"event": "$create_alias", "distinct_id": "ada", "properties": {"alias": "v-2"}},
        {"event": "$groupidentify", "distinct_id": "ada", "properties": {"$group_type": "firm", "$group_key": "acme"}},
    ]});
    let answer = post(&house, "/batch/", &body).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({"status": "Ok"})), "{}", answer.text);
    let recorded = recorded(&house).await;
    assert_eq!(
        recorded[0],
        json!({"type": "$pageview", "actor": "ada", "occurred_at": time, "occurred_at_source": "client", "value": 3.0,
            "properties": {"$browser": "Firefox", "value": 3}})
    );
    let shown: Vec<_> = recorded[1..].iter().map(|one| json!([one["type"], one["properties"]])).collect();
    assert_eq!(
        json!(shown),
        json!([
            ["購入", {"$set": {"plan": "pro"}}],
            ["$identify", {"$anon_distinct_id": "v-1"}],
            ["$alias", {"alias": "v-2", "previous_id": "v-2"}],
            ["$group", {"$group_type": "firm", "$group_key": "acme", "group_id": "acme"}],
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_send_one_event_or_a_list_in_a_form_or_as_gzip() {
    let house = House::start().await;
    let send = async |content_type: &str, body: Vec<u8>| {
        let headers = [("content-type", content_type)];
        house.send_as(house.customer, &Scope::ALL, Method::POST, "/e/?ip=0", &headers, body).await
    };
    let event = json!({"event": "a", "properties": {"distinct_id": "ada"}}).to_string();
    let list = format!("[{event},{event}]");
    // {"event":"b","distinct_id":"ada"} in base64.
    let form = "data=eyJldmVudCI6ImIiLCJkaXN0aW5jdF9pZCI6ImFkYSJ9";
    // printf '{"event":"c","distinct_id":"ada"}' | gzip -n
    let gzip = zip(br#"{"event":"c","distinct_id":"ada"}"#);
    for (content_type, body) in [
        ("application/json", event.into_bytes()),
        ("text/plain", list.into_bytes()),
        ("application/x-www-form-urlencoded", form.into()),
        ("text/plain", gzip),
    ] {
        let answer = send(content_type, body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &json!("Ok")), "{}", answer.text);
    }
    let types: Vec<_> = recorded(&house).await.iter().map(|one| one["type"].clone()).collect();
    assert_eq!(json!(types), json!(["a", "a", "a", "b", "c"]));
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "data=%%%"),
        ("application/x-www-form-urlencoded", "other=1"),
        ("text/plain", "\u{1f}"),
        ("text/plain", ""),
    ] {
        assert_eq!(send(content_type, body.into()).await.status.as_u16(), 400, "{body}");
    }
    assert_eq!(send("text/plain", vec![0x1f, 0x8b, 0]).await.status.as_u16(), 400);
    assert_eq!(send("text/plain", zip(&vec![b' '; 9_000_000])).await.status.as_u16(), 413);
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_answered_by_its_uuid() {
    let house = House::start().await;
    let body = json!({"created_at": Utc::now(), "batch": [
        {"event": "a", "uuid": "u-1", "distinct_id": "ada", "timestamp": Utc::now(), "options": {}, "properties": {},
         "session_id": "s-1"},
        {"event": " a", "uuid": "u-2", "distinct_id": "ada", "properties": {}},
        {"event": "a", "uuid": "u-3", "properties": {}},
    ]});
    for _ in 0..2 {
        let answer = post(&house, "/i/v1/analytics/events", &body).await;
        assert_eq!(
            answer.body,
            json!({"results": {
                "u-1": {"result": "ok"},
                "u-2": {"result": "drop", "details": "/event: must not begin or end with white space"},
                "u-3": {"result": "drop", "details": "/distinct_id: must not be empty"},
            }}),
            "{}",
            answer.text
        );
    }
    let recorded = recorded(&house).await;
    assert_eq!((recorded.len(), &recorded[0]["properties"]), (1, &json!({"$session_id": "s-1"})));
    assert_eq!(rejections(&house, 4).await[0]["activity_id"], json!("u-3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_is_named_and_costs_the_others_nothing() {
    let house = House::start().await;
    let bad = [
        (json!(null), ""),
        (json!({"event": "a"}), "/distinct_id"),
        (json!({"distinct_id": "ada"}), "/event"),
        (json!({"event": "a", "distinct_id": "ada", "timestamp": {}}), "/timestamp"),
        (json!({"event": "a", "distinct_id": "ada", "offset": 1e300}), "/offset"),
        (json!({"event": "a", "distinct_id": "ada", "properties": "x"}), "/properties"),
        (json!({"event": "a", "distinct_id": "x".repeat(257)}), "/distinct_id"),
        (json!({"event": "$create_alias", "distinct_id": "ada", "properties": {}}), "/properties/alias"),
    ];
    let good = json!({"event": "good", "distinct_id": "ada", "offset": 5000});
    let batch: Vec<Value> = bad.iter().map(|(event, _)| event.clone()).chain([good]).collect();
    let answer = post(&house, "/capture/", &json!({"batch": batch})).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    for (item, (event, pointer)) in answer.body["rejected"].as_array().unwrap().iter().zip(&bad) {
        assert_eq!(pointers(item), [*pointer], "{event}");
    }
    assert_eq!(recorded(&house).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_ask_beside_is_answered_with_nothing() {
    let house = House::start().await;
    let config = house.send(Method::GET, "/array/any/config", "").await.body;
    assert_eq!((&config["hasFeatureFlags"], &config["sessionRecording"]), (&json!(false), &json!(false)));
    for path in ["/flags/?v=2", "/flags", "/decide/?v=3", "/decide"] {
        let flags = post(&house, path, &json!({"token": "any", "distinct_id": "ada"})).await;
        assert_eq!((&flags.body["flags"], &flags.body["featureFlags"]), (&json!({}), &json!({})), "{path}");
    }
}
