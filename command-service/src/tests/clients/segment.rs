use chrono::{DateTime, TimeDelta, Utc};
use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};

use super::{House, pointers, post, recorded, rejections};

#[tokio::test(flavor = "multi_thread")]
async fn each_call_becomes_an_activity() {
    let house = House::start().await;
    let time = "2026-03-01T09:30:00.123Z";
    let body = json!({"sentAt": Utc::now(), "context": {"library": {"name": "x"}}, "batch": [
        {"type": "track", "event": "Order Completed", "userId": "ada", "anonymousId": "v-1", "messageId": "m-1",
         "timestamp": time, "properties": {"revenue": 42.5, "plan": "pro"}, "context": {"ip": "192.0.2.7"}},
        {"type": "page", "anonymousId": "v-1", "name": "Pricing", "properties": {"path": "/pricing"}},
        {"type": "screen", "userId": 7, "name": "Settings", "properties": {"name": "Kept"}},
        {"type": "identify", "userId": "ada", "traits": {"email": "ada@example.com"}},
        {"type": "group", "userId": "ada", "groupId": "acme", "traits": {"employees": 12}},
        {"type": "alias", "userId": "ada", "previousId": "v-1"},
    ]});
    let answer = post(&house, "/v1/batch", &body).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({"success": true})));
    let recorded = recorded(&house).await;
    assert_eq!(
        recorded[0],
        json!({"type": "Order Completed", "actor": "ada", "occurred_at": "2026-03-01T09:30:00.123Z",
            "occurred_at_source": "client", "value": 42.5, "properties": {"revenue": 42.5, "plan": "pro"},
            "context": {"ip": "192.0.2.7", "anonymous_id": "v-1"}})
    );
    let shown: Vec<_> =
        recorded[1..].iter().map(|one| json!([one["type"], one["actor"], one["properties"]])).collect();
    assert_eq!(
        json!(shown),
        json!([
            ["$pageview", "v-1", {"path": "/pricing", "name": "Pricing"}],
            ["$screen", "7", {"name": "Kept"}],
            ["$identify", "ada", {"email": "ada@example.com"}],
            ["$group", "ada", {"employees": 12, "group_id": "acme"}],
            ["$alias", "ada", {"previous_id": "v-1"}],
        ])
    );
    assert_eq!(recorded[1]["context"], json!({"library": {"name": "x"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_an_address_of_its_own_and_a_short_one() {
    let house = House::start().await;
    for (path, body) in [
        ("/v1/track", json!({"event": "購入", "userId": "ada"})),
        ("/v1/t", json!({"type": "track", "event": "$pageview", "anonymousId": "v"})),
        ("/v1/identify", json!({"userId": "ada", "traits": null})),
        ("/v1/page", json!({"userId": "ada"})),
        ("/v1/screen", json!({"userId": "ada"})),
        ("/v1/group", json!({"userId": "ada", "groupId": "g"})),
        ("/v1/alias", json!({"userId": "ada", "previousId": "v"})),
    ] {
        let answer = post(&house, path, &body).await;
        assert_eq!(answer.status.as_u16(), 200, "{path} {}", answer.text);
    }
    let types: Vec<_> = recorded(&house).await.iter().map(|one| one["type"].clone()).collect();
    assert_eq!(
        json!(types),
        json!(["購入", "$pageview", "$identify", "$pageview", "$screen", "$group", "$alias"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_sent_again_is_a_duplicate_however_wrong_the_clock_is() {
    let house = House::start().await;
    let happened = "2020-01-01T00:00:00Z";
    let body = |sent_at: &str| {
        json!({"sentAt": sent_at, "batch": [
            {"type": "track", "event": "a", "userId": "ada", "messageId": "m", "timestamp": happened}
        ]})
    };
    for sent_at in ["2020-01-01T00:00:05Z", "2020-01-01T00:00:09Z"] {
        let answer = post(&house, "/v1/batch", &body(sent_at)).await;
        assert_eq!(answer.body, json!({"success": true}), "{}", answer.text);
    }
    let recorded = recorded(&house).await;
    assert_eq!(recorded.len(), 1);
    let at: DateTime<Utc> = recorded[0]["occurred_at"].as_str().unwrap().parse().unwrap();
    let ago = Utc::now() - at;
    assert!((TimeDelta::seconds(4)..TimeDelta::seconds(60)).contains(&ago), "{ago}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_message_is_named_and_costs_the_others_nothing() {
    let house = House::start().await;
    let deep = serde_json::from_str::<Value>(&format!("{}1{}", r#"{"a":"#.repeat(9), "}".repeat(9))).unwrap();
    let good = json!({"type": "track", "event": "good", "userId": "ada"});
    let bad = [
        (json!(7), ""),
        (json!({"type": "track", "event": "a"}), "/userId"),
        (json!({"type": "track", "userId": "ada"}), "/event"),
        (json!({"type": "track", "event": " a", "userId": "ada"}), "/event"),
        (json!({"type": "track", "event": 7, "userId": "ada"}), "/event"),
        (json!({"type": "track", "event": "a", "userId": {}}), "/userId"),
        (json!({"type": "buy", "userId": "ada"}), "/type"),
        (json!({"type": "track", "event": "a", "userId": "ada", "timestamp": "soon"}), "/timestamp"),
        (json!({"type": "track", "event": "a", "userId": "ada", "timestamp": "1999-01-01"}), "/timestamp"),
        (json!({"type": "track", "event": "a", "userId": "ada", "properties": []}), "/properties"),
        (
            json!({"type": "track", "event": "a", "userId": "ada", "properties": deep}),
            "/properties/a/a/a/a/a/a/a/a",
        ),
        (json!({"type": "track", "event": "a", "userId": "ada", "messageId": "m".repeat(129)}), "/messageId"),
        (json!({"type": "alias", "userId": "ada"}), "/previousId"),
        (json!({"type": "group", "userId": "ada"}), "/groupId"),
    ];
    let batch: Vec<Value> = std::iter::once(good.clone())
        .chain(bad.iter().map(|(message, _)| message.clone()))
        .chain([good])
        .collect();
    let answer = post(&house, "/v1/batch", &json!({"batch": batch})).await;
    assert_eq!((answer.status.as_u16(), &answer.body["success"]), (200, &json!(true)), "{}", answer.text);
    assert_eq!(recorded(&house).await.len(), 2);
    let rejected = answer.body["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), bad.len());
    for (item, (message, pointer)) in rejected.iter().zip(&bad) {
        assert_eq!(pointers(item), [*pointer], "{message}");
    }
    let listed = rejections(&house, bad.len()).await;
    // Newest first.
    assert_eq!((&listed[0]["index"], &listed[0]["protocol"]), (&json!(bad.len()), &json!("segment")));
    assert_eq!((pointers(&listed[0]), &listed[0]["request_id"]), (vec!["/groupId"], &json!("r-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_as_a_whole_says_so_in_the_clients_words() {
    let house = House::start().await;
    let huge = format!(r#"{{"batch":[{}]}}"#, vec!["{}"; 10_001].join(","));
    for (body, status, code) in [
        ("{", 400, "malformed-json"),
        ("[]", 400, "invalid-content"),
        ("{}", 400, "invalid-content"),
        (r#"{"batch":{}}"#, 400, "invalid-content"),
        (r#"{"batch":[{"type":"track"}]}"#, 400, "invalid-content"),
        (huge.as_str(), 413, "too-many-messages"),
    ] {
        let answer = house.send(Method::POST, "/v1/batch", body.to_owned()).await;
        assert_eq!(answer.problem(), (status, &*format!("/problems/{code}")), "{}", answer.text);
        assert_eq!((&answer.body["success"], &answer.body["code"]), (&json!(false), &json!(code)));
        assert!(answer.body["message"].is_string(), "{}", answer.text);
    }
    let as_reader = house
        .send_as(
            house.customer,
            &[Scope::Read],
            Method::POST,
            "/v1/track",
            &[],
            r#"{"event":"a","userId":"b"}"#,
        )
        .await;
    assert_eq!(
        (as_reader.problem(), &as_reader.body["code"]),
        ((403, "/problems/scope-missing"), &json!("scope-missing"))
    );
    assert_eq!(recorded(&house).await, Vec::<Value>::new());
    assert_eq!(rejections(&house, 6).await[0]["index"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_is_a_success_of_nothing() {
    let house = House::start().await;
    let answer = post(&house, "/v1/batch", &json!({"batch": []})).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({"success": true})));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_native_batch_has_are_recorded_in_parts() {
    let house = House::start().await;
    let message =
        |n: usize| json!({"type": "track", "event": "a", "userId": "ada", "messageId": n.to_string()});
    let batch: Vec<Value> = (0..2_500).map(message).collect();
    for _ in 0..2 {
        let answer = post(&house, "/v1/batch", &json!({"batch": batch})).await;
        assert_eq!(answer.body, json!({"success": true}));
    }
    let page = house.send(Method::GET, "/v1/history?limit=1000&after=2499", "").await.body;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}
