//! Upcasters: how an old version of an event is read as the present one. A version, once written, is never removed
//! from this list; `tests/golden/` holds real old JSON of each.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster, SerializedEvent};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::DecodeError;

/// All upcasters, oldest first, for cqrs-es' event store. They expect the payload flat, as it lies in the log.
#[must_use]
pub fn all() -> Vec<Box<dyn EventUpcaster>> {
    vec![Box::new(SemanticVersionEventUpcaster::new(
        "ActivityRecorded",
        "2.0.0",
        Box::new(activity_recorded_says_who_chose_its_time),
    ))]
}

/// Version 1 did not say whether `occurred_at` came from the client, so that a retry without a time could not be
/// recognised as the same content. What version 1 stored is read as the client's own choice, the stricter reading.
fn activity_recorded_says_who_chose_its_time(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.entry("occurred_at_source").or_insert_with(|| Value::from("client"));
    }
    payload
}

/// The upcast version and payload of a stored event, or `None` if it is of the present version already: the usual
/// case, which then costs no tree.
pub(crate) fn payload(
    event_type: &str,
    event_version: &str,
    payload: &RawValue,
) -> Result<Option<(String, String)>, DecodeError> {
    static ALL: std::sync::LazyLock<Vec<Box<dyn EventUpcaster>>> = std::sync::LazyLock::new(all);
    if !ALL.iter().any(|upcaster| upcaster.can_upcast(event_type, event_version)) {
        return Ok(None);
    }
    let malformed = |source| DecodeError::Malformed {
        event_type: event_type.to_owned(),
        event_version: event_version.to_owned(),
        source,
    };
    let event = SerializedEvent {
        aggregate_id: String::new(),
        sequence: 0,
        aggregate_type: String::new(),
        event_type: event_type.to_owned(),
        event_version: event_version.to_owned(),
        payload: serde_json::from_str(payload.get()).map_err(malformed)?,
        metadata: Value::Null,
    };
    let event = apply(&ALL, event);
    Ok(Some((event.event_version, event.payload.to_string())))
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
