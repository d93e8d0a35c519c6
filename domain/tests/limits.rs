//! Every limit of an activity, from both sides.
#![expect(clippy::unwrap_used, reason = "tests end by panicking, in what they share too")]

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use domain::ActivityId;
use domain::activity::{ActivityContent, OccurredAtSource, Pending};
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 2, 28, 12, 0, 0).unwrap()
}

fn made() -> ActivityId {
    ActivityId::parse("made").unwrap()
}

fn check(text: &str) -> Result<(ActivityId, ActivityContent), Vec<String>> {
    let pending: Pending = serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
    pending.check(now(), made).map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
}

/// An ordinary activity with some fields set.
fn with(fields: &Value) -> String {
    let mut activity = json!({"type": "page.viewed", "actor": "ada"});
    activity.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    activity.to_string()
}

/// An ordinary activity with one field written as it stands.
fn with_raw(field: &str, raw: &str) -> String {
    format!(r#"{{"type":"page.viewed","actor":"ada","{field}":{raw}}}"#)
}

fn passes(fields: &Value) {
    if let Err(faults) = check(&with(fields)) {
        panic!("{fields} is refused: {faults:?}");
    }
}

fn is_at_fault(fields: &Value, pointer: &str) {
    assert_eq!(check(&with(fields)).unwrap_err(), [pointer], "{fields}");
}

#[test]
fn an_id_has_1_to_128_characters_and_none_is_made_up_for() {
    assert_eq!(check(&with(&json!({}))).unwrap().0, made());
    passes(&json!({"id": "é".repeat(128)}));
    for id in [String::new(), "é".repeat(129), "a\u{0}b".into(), "a\nb".into(), "a\u{7f}".into()] {
        is_at_fault(&json!({"id": id}), "/id");
    }
}

#[test]
fn a_type_has_1_to_200_characters_in_normal_form() {
    for good in ["a", "a9_.:-", "Order Completed", "$pageview", "購入", "é", "[1]", &"購".repeat(200)] {
        passes(&json!({"type": good}));
    }
    let long = "b".repeat(201);
    for bad in ["", " a", "a ", "\u{2003}a", "a\u{0}", "a\nb", "a\u{9b}", "e\u{301}", &long] {
        is_at_fault(&json!({"type": bad}), "/type");
    }
}

#[test]
fn an_actor_has_1_to_256_characters() {
    passes(&json!({"actor": "日".repeat(256)}));
    for actor in [String::new(), "日".repeat(257), "a".repeat(257), "a\u{0}".into()] {
        is_at_fault(&json!({"actor": actor}), "/actor");
    }
}

#[test]
fn a_time_lies_at_most_24_hours_ahead_and_5_years_back() {
    let second = TimeDelta::seconds(1);
    let ahead = now() + TimeDelta::hours(24);
    let back = Utc.with_ymd_and_hms(2021, 2, 28, 12, 0, 0).unwrap();
    for good in [ahead, back] {
        passes(&json!({"occurred_at": good}));
    }
    for bad in [ahead + second, back - second] {
        is_at_fault(&json!({"occurred_at": bad}), "/occurred_at");
    }
    for nonsense in [r#""yesterday""#, r#""2026-02-30T00:00:00Z""#, r#""2026-02-01 00:00:00""#, "1767225600"]
    {
        assert!(check(&with_raw("occurred_at", nonsense)).is_err(), "{nonsense}");
    }
}

#[test]
fn a_time_without_one_is_the_receipt_and_kept_to_the_microsecond() {
    let content = check(&with(&json!({}))).unwrap().1;
    assert_eq!((content.occurred_at, content.occurred_at_source), (now(), OccurredAtSource::Receipt));
    let content = check(&with(&json!({"occurred_at": "2026-02-28T13:00:00.123456789+02:00"}))).unwrap().1;
    assert_eq!(content.occurred_at_source, OccurredAtSource::Client);
    assert_eq!(content.occurred_at.to_rfc3339(), "2026-02-28T11:00:00.123456+00:00");
}

#[test]
fn properties_and_context_have_at_most_32_kib() {
    for field in ["properties", "context"] {
        let of_bytes = |bytes: usize| json!({field: {"a": "x".repeat(bytes - r#"{"a":""}"#.len())}});
        passes(&of_bytes(32 * 1024));
        is_at_fault(&of_bytes(32 * 1024 + 1), &format!("/{field}"));
    }
}

#[test]
fn properties_and_context_are_at_most_8_deep() {
    let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    for field in ["properties", "context"] {
        assert!(check(&with_raw(field, &deep(8))).is_ok());
        assert_eq!(
            check(&with_raw(field, &deep(9))).unwrap_err(),
            [format!("/{field}/a/a/a/a/a/a/a/a")],
            "{field}"
        );
        let pits = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(check(&with_raw(field, &format!(r#"{{"a":{pits}}}"#))).unwrap_err().len(), 1);
    }
}

#[test]
fn properties_and_context_are_objects_and_null_is_none() {
    for field in ["properties", "context"] {
        for no_object in [json!([]), json!("text"), json!(1), json!(true)] {
            is_at_fault(&json!({field: no_object}), &format!("/{field}"));
        }
    }
    let content = check(&with(&json!({"properties": null, "context": null}))).unwrap().1;
    assert_eq!((content.properties, content.context), (None, None));
}

#[test]
fn what_postgresql_or_others_cannot_keep_is_named() {
    for (raw, place) in [
        (r#"{"a":"\u0000"}"#, "/a"),
        (r#"{"a":["\u0000"]}"#, "/a/0"),
        (r#"{"a":"\ud800"}"#, "/a"),
        (r#"{"a":"\udc00\ud800"}"#, "/a"),
        (r#"{"a":1e999}"#, "/a"),
        (r#"{"a":-1e999}"#, "/a"),
        (r#"{"a":1,"b":2,"a":3}"#, "/a"),
        (r#"{"a":{"~/":1,"~/":2}}"#, "/a/~0~1"),
    ] {
        for field in ["properties", "context"] {
            assert_eq!(check(&with_raw(field, raw)).unwrap_err(), [format!("/{field}{place}")], "{raw}");
        }
    }
    assert!(check(&with_raw("properties", r#"{"\u0000":1}"#)).is_err());
    assert!(check(&with_raw("properties", r#"{"\ud800":1}"#)).is_err());
    assert!(check(&with_raw("id", r#""\ud800""#)).is_err());
}

#[test]
fn a_value_is_a_finite_number() {
    for good in ["0", "-0.0", "1.5e300", "-7", "0.1", "9007199254740992", "0.30000000000000004"] {
        assert!(check(&with_raw("value", good)).is_ok(), "{good}");
    }
    for bad in [
        "1e999",
        "-1e999",
        "1e-400",
        "NaN",
        "Infinity",
        r#""1""#,
        "true",
        "[1]",
        "9007199254740993",
        "123456789012345678901234567890",
    ] {
        assert!(check(&with_raw("value", bad)).is_err(), "{bad}");
    }
    let pending = Pending { value: Some(f64::INFINITY), ..serde_json::from_str(&with(&json!({}))).unwrap() };
    assert_eq!(pending.check(now(), made).unwrap_err()[0].pointer, "/value");
}

#[test]
fn content_is_the_same_when_its_numbers_are_equal_by_value() {
    let content = |value: &str, properties: &str| {
        let text = format!(
            r#"{{"type":"a","actor":"b","value":{value},"properties":{properties},"context":{properties}}}"#
        );
        check(&text).unwrap().1
    };
    let first = content("100", r#"{"n":[1,0,20000000000000000001]}"#);
    for (value, properties) in [
        ("1e2", "{ \"n\": [1.0, -0, 2.0000000000000000001e19] }"),
        ("100.0", r#"{"n":[1e0,0.0,20000000000000000001.0]}"#),
    ] {
        assert!(content(value, properties).says_the_same(&first), "{value} {properties}");
    }
    for (value, properties) in [
        ("100", r#"{"n":[1,0,20000000000000000002]}"#),
        ("100", r#"{"n":[1,0,"20000000000000000001"]}"#),
        ("100.00000000000001", r#"{"n":[1,0,20000000000000000001]}"#),
    ] {
        assert!(!content(value, properties).says_the_same(&first), "{value} {properties}");
    }
}

#[test]
fn what_is_stored_is_one_line_with_every_digit_as_it_was_sent() {
    let forged = "{\"x\":\n{\"partition\":0,\"position\":1}\r\n, \"n\" : 1.50e+1}";
    let content = check(&with_raw("properties", forged)).unwrap().1;
    assert_eq!(content.properties.unwrap().as_str(), r#"{"x":{"partition":0,"position":1},"n":1.50e+1}"#);
    let content = check(&with_raw("context", "{\"a\":\"\u{2028}\u{85}\u{9b}2J\"}")).unwrap().1;
    assert_eq!(content.context.unwrap().as_str(), r#"{"a":"\u2028\u0085\u009b2J"}"#);
}

#[test]
fn a_field_that_is_unknown_missing_or_given_twice_is_named() {
    for (text, named) in [
        (r#"{"type":"a","actor":"b","colour":"red"}"#, "colour"),
        (r#"{"type":"a"}"#, "actor"),
        (r#"{"actor":"b"}"#, "type"),
        (r#"{"type":"a","actor":"b","actor":"c"}"#, "actor"),
    ] {
        assert!(check(text).unwrap_err()[0].contains(named), "{text}");
    }
}

#[test]
fn every_fault_is_named_not_only_the_first() {
    let all = check(&with(&json!({
        "id": "", "type": "a ", "actor": "", "occurred_at": "1999-01-01T00:00:00Z",
        "properties": [], "context": {"a": "\u{0}"}
    })));
    assert_eq!(all.unwrap_err(), ["/id", "/type", "/actor", "/occurred_at", "/properties", "/context/a"]);
}

proptest! {
    // What is found becomes a test by hand; no files are kept.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_type_passes_when_each_of_its_rules_does(text in "[a$.:é購\\u{301}\\u{3000}\\u{85}\\n ]{0,8}|[a ]{190,210}") {
        let by_hand = (1..=200).contains(&text.chars().count())
            && !text.contains(['\n', '\u{85}'])
            && text.trim() == text
            // A letter and a mark that make one letter are not in the normal form.
            && !text.contains("a\u{301}");
        prop_assert_eq!(check(&with(&json!({"type": text}))).is_ok(), by_hand);
    }

    #[test]
    fn an_id_passes_when_it_is_short_and_printable(text in "\\PC{0,140}") {
        let by_hand = (1..=128).contains(&text.chars().count());
        prop_assert_eq!(check(&with(&json!({"id": text}))).is_ok(), by_hand);
    }

    #[test]
    fn whatever_is_sent_is_answered_and_never_panics(text in "[\\[\\]{}\",:a1e\\\\u0d8. -]{0,60}") {
        let _ = check(&with_raw("properties", &text));
        let _ = check(&text);
    }

    #[test]
    fn what_passes_is_stored_and_read_as_it_was_sent(
        actor in "\\PC{1,256}", value in proptest::num::f64::NORMAL, text in "\\PC{0,40}",
    ) {
        let sent = with(&json!({"actor": actor, "value": value, "properties": {"text": text}}));
        let content = check(&sent).unwrap().1;
        let again: ActivityContent = serde_json::from_str(&serde_json::to_string(&content).unwrap()).unwrap();
        prop_assert!(again.says_the_same(&content));
        prop_assert_eq!(content.value, Some(value));
        prop_assert_eq!(again.actor, actor);
        prop_assert_eq!(again.value, Some(value));
    }
}
