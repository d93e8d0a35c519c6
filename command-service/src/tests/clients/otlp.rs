use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};

use super::{House, post, recorded, rejections};

const PROTOBUF: &str = "application/x-protobuf";

fn request(records: &[Value]) -> Value {
    json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeLogs": [{"scope": {"name": "checkout", "version": "1.0"}, "logRecords": records}],
    }]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_becomes_an_activity() {
    let house = House::start().await;
    let body = request(&[
        json!({
            "timeUnixNano": "1772357400123456789", "eventName": "Order Completed", "severityText": "INFO",
            "severityNumber": 9, "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
            "body": {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": "9007199254740993"}}]}},
            "attributes": [
                {"key": "user.id", "value": {"stringValue": "ada"}},
                {"key": "items", "value": {"arrayValue": {"values": [{"boolValue": true}, {"doubleValue": 0.5}, {}]}}},
                {"key": "raw", "value": {"bytesValue": "AQI="}},
            ],
        }),
        json!({"observedTimeUnixNano": 1_772_357_400_000_000_000_u64, "body": {"stringValue": "started"}}),
    ]);
    for _ in 0..2 {
        let answer = post(&house, "/v1/logs", &body).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({})), "{}", answer.text);
    }
    let recorded = recorded(&house).await;
    assert_eq!(
        json!(recorded),
        json!([
            {"type": "Order Completed", "actor": "ada", "occurred_at": "2026-03-01T09:30:00.123456Z",
             "occurred_at_source": "client",
             "properties": {"items": [true, 0.5, null], "raw": "AQI=", "user.id": "ada",
                "body": {"n": 9_007_199_254_740_993_u64}, "severity": "INFO", "severity_number": 9},
             "context": {"resource": {"service.name": "shop"}, "scope": {"name": "checkout", "version": "1.0"},
                "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}},
            {"type": "log", "actor": "shop", "occurred_at": "2026-03-01T09:30:00Z", "occurred_at_source": "client",
             "properties": {"body": "started"},
             "context": {"resource": {"service.name": "shop"}, "scope": {"name": "checkout", "version": "1.0"}}},
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_line_twice_in_a_request_is_two_and_a_request_sent_again_is_none() {
    let house = House::start().await;
    let line = json!({"timeUnixNano": "1772357400000000000", "body": {"stringValue": "tick"}});
    for _ in 0..2 {
        post(&house, "/v1/logs", &request(&[line.clone(), line.clone()])).await;
    }
    assert_eq!(recorded(&house).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_is_a_partial_success_and_costs_the_others_nothing() {
    let house = House::start().await;
    let good = json!({"body": {"stringValue": "x"}});
    let deep =
        (0..9).fold(json!({"stringValue": "x"}), |value, _| json!({"arrayValue": {"values": [value]}}));
    let bad = [
        json!({"timeUnixNano": "-1"}),
        json!({"timeUnixNano": {}}),
        json!({"attributes": 7}),
        json!({"attributes": [{"value": {}}]}),
        json!({"traceId": "zz"}),
        json!({"eventName": " padded"}),
        json!({"body": deep}),
        json!({"body": {"stringValue": "\u{0}"}}),
    ];
    let records: Vec<Value> = std::iter::once(good).chain(bad.iter().cloned()).collect();
    let answer = post(&house, "/v1/logs", &request(&records)).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let partial = &answer.body["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], json!(bad.len().to_string()), "{partial}");
    assert!(partial["errorMessage"].as_str().unwrap().contains("/records/6/eventName"), "{partial}");
    assert_eq!(recorded(&house).await.len(), 1);
    assert_eq!(rejections(&house, bad.len()).await[0]["protocol"], json!("otlp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_400_in_its_own_form() {
    let house = House::start().await;
    let send = async |content_type: &str, body: &str| {
        let headers = [("content-type", content_type)];
        let path = "/v1/logs";
        house.send_as(house.customer, &Scope::ALL, Method::POST, path, &headers, body.to_owned()).await
    };
    for body in ["{", r#"{"resourceLogs": 1}"#, "[]"] {
        let answer = send("application/json", body).await;
        assert_eq!(answer.problem().0, 400, "{body}");
    }
    let answer = send("application/x-protobuf", "{").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (400, &PROTOBUF.parse().unwrap()));
    assert!(answer.text.contains("cannot be read"), "{:?}", answer.text);
    assert_eq!(send("text/plain", "{}").await.status.as_u16(), 415);
    // Nothing is a request without records.
    assert_eq!(send("application/x-protobuf", "").await.status.as_u16(), 200);
}
