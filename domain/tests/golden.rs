//! Every version of every event that was ever written can still be read: `golden/` holds real JSON of each, and a
//! file there is never changed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests end by panicking, in what they share too")]

use std::collections::BTreeMap;
use std::path::Path;

use cqrs_es::DomainEvent;
use domain::activity::{ActivityEvent, OccurredAtSource, check_type};
use domain::actor::ActorEvent;
use domain::customer::CustomerEvent;
use domain::dead_letter::DeadLetterEvent;
use domain::identity::IdentityEvent;
use domain::token::TokenEvent;
use domain::{DecodeError, EventPayload, upcast};
use serde_json::Value;
use serde_json::value::RawValue;

/// Type and version, and the JSON as it was stored.
fn golden() -> BTreeMap<(String, String), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let (event_type, version) = path.file_stem().unwrap().to_str().unwrap().split_once('-').unwrap();
            let key = (event_type.to_owned(), version.to_owned());
            (key, std::fs::read_to_string(&path).unwrap().trim_end().to_owned())
        })
        .collect()
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// What a stored event says when it is written again today, if it is one of `E`.
fn written_again<E: EventPayload + DomainEvent>(
    event_type: &str,
    version: &str,
    text: &str,
) -> Option<(String, String, String)> {
    match E::decode(event_type, version, &raw(text)) {
        Ok(event) => Some((event.event_type(), event.event_version(), event.encode().unwrap())),
        Err(DecodeError::Unknown { .. }) => None,
        Err(error) => panic!("{event_type} {version}: {error}"),
    }
}

/// What the stored JSON must be read as: itself, but for what an upcaster adds.
fn upcast_by_hand(event_type: &str, version: &str, text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    if (event_type, version) == ("ActivityRecorded", "1.0.0") {
        value["occurred_at_source"] = "client".into();
    }
    value
}

#[test]
fn every_version_ever_written_is_read_as_the_present_one() {
    for ((event_type, version), text) in golden() {
        let (again_type, again_version, again) = written_again::<ActivityEvent>(&event_type, &version, &text)
            .or_else(|| written_again::<TokenEvent>(&event_type, &version, &text))
            .or_else(|| written_again::<CustomerEvent>(&event_type, &version, &text))
            .or_else(|| written_again::<DeadLetterEvent>(&event_type, &version, &text))
            .or_else(|| written_again::<ActorEvent>(&event_type, &version, &text))
            .or_else(|| written_again::<IdentityEvent>(&event_type, &version, &text))
            .unwrap_or_else(|| panic!("{event_type} {version} cannot be read any more"));
        assert_eq!(again_type, event_type);
        let value: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(value, upcast_by_hand(&event_type, &version, &text), "{event_type} {version}");
        if again_version == version {
            assert_eq!(
                again, text,
                "{event_type} {version} is written otherwise today, under the same version"
            );
        }
    }
}

#[test]
fn every_version_in_the_code_has_a_golden_file() {
    let golden = golden();
    let present = [
        ActivityEvent::VERSIONS,
        TokenEvent::VERSIONS,
        CustomerEvent::VERSIONS,
        DeadLetterEvent::VERSIONS,
        ActorEvent::VERSIONS,
        IdentityEvent::VERSIONS,
    ]
    .concat();
    for (event_type, version) in &present {
        let key = ((*event_type).to_owned(), (*version).to_owned());
        assert!(golden.contains_key(&key), "golden/{event_type}-{version}.json is missing");
    }
    for (event_type, _) in golden.keys() {
        let known = present.iter().any(|(known, _)| known == event_type);
        assert!(known, "golden/ holds {event_type}, which the code has forgotten");
    }
    for (index, upcaster) in upcast::all().iter().enumerate() {
        let works = golden.keys().any(|(event_type, version)| upcaster.can_upcast(event_type, version));
        assert!(works, "no golden file is of a version that upcaster {index} reads");
    }
}

#[test]
fn a_first_version_is_read_as_one_whose_time_the_client_chose() {
    let text = &golden()[&("ActivityRecorded".to_owned(), "1.0.0".to_owned())];
    let ActivityEvent::ActivityRecorded(content) =
        ActivityEvent::decode("ActivityRecorded", "1.0.0", &raw(text)).unwrap()
    else {
        panic!("an ActivityRecorded is read as something else");
    };
    assert_eq!(content.occurred_at_source, OccurredAtSource::Client);
    assert_eq!(content.activity_type, "order.paid");
}

#[test]
fn every_type_that_was_ever_stored_is_one_today() {
    for ((event_type, version), text) in golden() {
        let Ok(event) = ActivityEvent::decode(&event_type, &version, &raw(&text)) else { continue };
        let content = match event {
            ActivityEvent::ActivityRecorded(content) => content,
            ActivityEvent::ActivityCorrected(corrected) => corrected.after,
            ActivityEvent::ActivityRedacted(redacted) => redacted.before,
        };
        assert_eq!(check_type(&content.activity_type), Ok(()), "{event_type} {version}");
    }
}

#[test]
fn a_type_of_any_language_is_read_as_it_was_written() {
    for name in ["Order Completed", "$pageview", "購入"] {
        let text =
            golden()[&("ActivityRecorded".to_owned(), "2.0.0".to_owned())].replace("page.viewed", name);
        let event = ActivityEvent::decode("ActivityRecorded", "2.0.0", &raw(&text)).unwrap();
        assert_eq!(event.encode().unwrap(), text);
    }
}

#[test]
fn an_old_event_keeps_its_numbers_and_comes_out_on_one_line() {
    let payload = |fields: &str| {
        format!(
            "{{\"type\":\"a\",\"actor\":\"b\",\n\"occurred_at\":\"2026-01-01T00:00:00Z\",{fields}\"properties\":\
             {{\"wei\":\n20000000000000000001, \"text\":\"\u{2028}\"}}}}"
        )
    };
    for (version, fields) in [("1.0.0", ""), ("2.0.0", r#""occurred_at_source":"client","#)] {
        let event = ActivityEvent::decode("ActivityRecorded", version, &raw(&payload(fields))).unwrap();
        let ActivityEvent::ActivityRecorded(content) = event else { panic!("it is read as something else") };
        let properties = content.properties.unwrap();
        assert_eq!(properties.as_str(), r#"{"wei":20000000000000000001,"text":"\u2028"}"#, "{version}");
    }
}

#[test]
fn what_a_later_program_wrote_is_not_misread() {
    for (event_type, version) in [("ActivityRecorded", "3.0.0"), ("ActivityForgotten", "1.0.0")] {
        let error = ActivityEvent::decode(event_type, version, &raw("{}")).unwrap_err();
        assert!(matches!(error, DecodeError::Unknown { .. }), "{error}");
    }
    let error = ActivityEvent::decode("ActivityRecorded", "2.0.0", &raw(r#"{"type":"x"}"#)).unwrap_err();
    assert!(matches!(error, DecodeError::Malformed { .. }), "{error}");
}
