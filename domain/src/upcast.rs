//! Upcasters: how an old version of an event is read as the present one. A version, once written, is never removed
//! from this list; `tests/golden/` holds real old JSON of each.

use std::collections::BTreeMap;

use cqrs_es::persist::{EventUpcaster, SemanticVersion, SerializedEvent};
use serde_json::value::{RawValue, to_raw_value};

use crate::DecodeError;

/// The fields of a payload, each as its text, so that reading an old event changes no number and no string in it.
type Fields = BTreeMap<String, Box<RawValue>>;

/// How the older versions of an event are read as a later one.
#[derive(Clone, Copy)]
struct Upcast {
    event_type: &'static str,
    /// The version that it makes of every older one.
    version: &'static str,
    fields: fn(&mut Fields) -> serde_json::Result<()>,
}

/// Oldest first.
const ALL: &[Upcast] = &[
    Upcast {
        event_type: "ActivityRecorded",
        version: "2.0.0",
        fields: activity_recorded_says_who_chose_its_time,
    },
    Upcast { event_type: "TokenIssued", version: "2.0.0", fields: token_issued_says_whether_it_is_public },
];

/// Version 1 did not say whether `occurred_at` came from the client, so that a retry without a time could not be
/// recognised as the same content. What version 1 stored is read as the client's own choice, the stricter reading.
fn activity_recorded_says_who_chose_its_time(fields: &mut Fields) -> serde_json::Result<()> {
    if !fields.contains_key("occurred_at_source") {
        fields.insert("occurred_at_source".to_owned(), to_raw_value("client")?);
    }
    Ok(())
}

/// Version 1 knew secret tokens only. A program that knows only that version must not take a public one for a secret one.
fn token_issued_says_whether_it_is_public(fields: &mut Fields) -> serde_json::Result<()> {
    fields.insert("public".to_owned(), to_raw_value(&())?);
    Ok(())
}

impl EventUpcaster for Upcast {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        let versions = self.version.parse::<SemanticVersion>().ok().zip(event_version.parse().ok());
        event_type == self.event_type && versions.is_some_and(|(next, stored)| next.supersedes(&stored))
    }

    /// In cqrs-es' own form, whose trees hold numbers as doubles: for aggregates whose events hold no JSON of a client.
    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        let upcast = serde_json::to_string(&event.payload).and_then(|text| {
            let mut fields = serde_json::from_str(&text)?;
            (self.fields)(&mut fields)?;
            serde_json::to_value(fields)
        });
        // A payload that is no object has no fields to change, and decoding says what is wrong with it.
        if let Ok(payload) = upcast {
            event.payload = payload;
            self.version.clone_into(&mut event.event_version);
        }
        event
    }
}

/// All upcasters, oldest first, for cqrs-es' event store. They expect the payload flat, as it lies in the log.
#[must_use]
pub fn all() -> Vec<Box<dyn EventUpcaster>> {
    ALL.iter().map(|upcast| Box::new(*upcast) as Box<dyn EventUpcaster>).collect()
}

/// The upcast version and payload of a stored event, or `None` if it is of the present version already: the usual
/// case, which then costs nothing.
pub(crate) fn payload(
    event_type: &str,
    event_version: &str,
    payload: &str,
) -> Result<Option<(String, String)>, DecodeError> {
    let mut upcasts = ALL.iter().filter(|upcast| upcast.can_upcast(event_type, event_version)).peekable();
    if upcasts.peek().is_none() {
        return Ok(None);
    }
    let upcast = || {
        let mut fields = serde_json::from_str(payload)?;
        let mut version = event_version;
        for upcast in upcasts {
            (upcast.fields)(&mut fields)?;
            version = upcast.version;
        }
        Ok((version.to_owned(), serde_json::to_string(&fields)?))
    };
    upcast().map(Some).map_err(|source| DecodeError::Malformed {
        event_type: event_type.to_owned(),
        event_version: event_version.to_owned(),
        source,
    })
}

/// Runs an event through every upcaster that wants it, in order.
#[must_use]
pub fn apply(upcasters: &[Box<dyn EventUpcaster>], event: SerializedEvent) -> SerializedEvent {
    upcasters.iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    })
}
