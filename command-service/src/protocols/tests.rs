//! Whatever stands beside it, a good message is read, and nothing panics.

use axum::extract::Request;
use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Protocol;
use super::cloudevents::CloudEvents;
use super::ingest::Received;
use super::otlp::OtlpLogs;
use super::posthog::{PostHogCapture, PostHogEvents};
use super::segment::SegmentBatch;

/// Names that some protocol has for something, and others.
const NAMES: &str = "type|event|userId|anonymousId|messageId|timestamp|sentAt|properties|traits|context|groupId|uuid|\
distinct_id|offset|attributes|body|timeUnixNano|stringValue|kvlistValue|values|key|value|specversion|id|source|time|data|\
data_base64|\\$set|a";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}|track|alias|1\\.0|2026-03-01T09:30:00Z".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(NAMES, inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// What is read of a body with this content type: whether each message is good.
fn read<P: Protocol>(content_type: &str, body: &str) -> Option<Vec<bool>> {
    let request = Request::builder().uri("/").header("content-type", content_type).body(()).unwrap();
    let at = Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap();
    let received = Received::of(request.into_parts().0, body.to_owned(), at);
    Some(P::read(&received).ok()?.items.iter().map(|item| item.draft.is_ok()).collect())
}

fn beside<P: Protocol>(
    content_type: &str,
    good: &Value,
    any: &Value,
    whole: impl Fn(Value) -> Value,
) -> bool {
    let body = whole(json!([any, good])).to_string();
    read::<P>(content_type, &body).is_some_and(|items| items.len() == 2 && items[1])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_good_message_is_read_whatever_is_beside_it(any in any_json()) {
        let json = "application/json";
        let tracked = json!({"type": "track", "event": "a", "userId": "ada"});
        let batched = |batch| json!({"batch": batch});
        let is_read = beside::<SegmentBatch>(json, &tracked, &any, batched);
        prop_assert!(is_read);
        let captured = json!({"event": "a", "distinct_id": "ada"});
        let is_read = beside::<PostHogCapture>(json, &captured, &any, batched);
        prop_assert!(is_read);
        let is_read = beside::<PostHogEvents>(json, &captured, &any, batched);
        prop_assert!(is_read);
        let record = json!({"body": {"stringValue": "a"}});
        let logs = |records| json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
        let is_read = beside::<OtlpLogs>(json, &record, &any, logs);
        prop_assert!(is_read);
        let event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t"});
        let is_read = beside::<CloudEvents>("application/cloudevents-batch+json", &event, &any, |batch| batch);
        prop_assert!(is_read);
    }

    #[test]
    fn whatever_a_body_is_reading_it_ends(any in any_json(), text in "[\\[\\]{}\",:a1e\\\\u0d8. -]{0,60}") {
        for body in [any.to_string(), text] {
            read::<SegmentBatch>("application/json", &body);
            read::<PostHogCapture>("text/plain", &body);
            read::<PostHogCapture>("application/x-www-form-urlencoded", &format!("data={body}"));
            read::<OtlpLogs>("application/json", &body);
            read::<OtlpLogs>("application/x-protobuf", &body);
            read::<CloudEvents>("application/cloudevents+json", &body);
        }
    }
}
