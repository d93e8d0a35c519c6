use chassis::{FieldError, parse_json};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::clock::{Clock, read_time};
use super::super::members::Members;
use super::super::message::{Draft, Message, fault};
use super::super::{identity, ids};

/// An event, as far as it says something.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the protocol names them so")]
struct Event<'a> {
    #[serde(default, deserialize_with = "ids::text")]
    uuid: Option<String>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default, deserialize_with = "ids::text")]
    distinct_id: Option<String>,
    #[serde(default, borrow)]
    timestamp: Option<&'a RawValue>,
    /// How long ago it happened when it was sent, in milliseconds.
    #[serde(default)]
    offset: Option<f64>,
    #[serde(default, borrow)]
    properties: Option<&'a RawValue>,
    #[serde(rename = "$set", default, borrow)]
    set: Option<&'a RawValue>,
    #[serde(rename = "$set_once", default, borrow)]
    set_once: Option<&'a RawValue>,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    window_id: Option<String>,
}

/// Reads one event.
pub(super) fn read(raw: &RawValue, clock: Clock, received_at: DateTime<Utc>) -> Message {
    let event: Event<'_> = match parse_json(raw.get().as_bytes()) {
        Ok(event) => event,
        Err(problem) => return Message::rejected(None, problem.into_faults()),
    };
    let id = event.uuid.clone();
    match draft(event, clock, received_at) {
        Ok(draft) => Message::draft(draft),
        Err(error) => Message::rejected(id, vec![error]),
    }
}

fn draft(event: Event<'_>, clock: Clock, received_at: DateTime<Utc>) -> Result<Draft, FieldError> {
    let mut properties = Members::of(event.properties).map_err(|detail| fault("/properties", detail))?;
    // A secret, which nobody wants in a report.
    properties.take("token");
    let in_properties = properties.take("distinct_id").and_then(|raw| serde_json::from_str(raw.get()).ok());
    let actor = event.distinct_id.or(in_properties).unwrap_or_default();
    properties.add("$set", event.set);
    properties.add("$set_once", event.set_once);
    properties.add("$session_id", event.session_id);
    properties.add("$window_id", event.window_id);

    let name = event.event.unwrap_or_default();
    let mut draft = match (event.timestamp, event.offset) {
        // As long before the receipt as the client says; each sending says otherwise.
        (None, Some(offset)) => {
            let ago = TimeDelta::try_milliseconds(offset as i64).filter(|_| offset.is_finite());
            let time = ago.and_then(|ago| received_at.checked_sub_signed(ago));
            let time = time.ok_or_else(|| fault("/offset", "must be milliseconds"))?;
            let draft = Draft::at(String::new(), actor, Some(time), Clock::right());
            Draft { is_time_estimated: true, ..draft }
        }
        (timestamp, _) => {
            let time = read_time(timestamp).map_err(|detail| fault("/timestamp", detail))?;
            let is_exact = properties.get("$ignore_sent_at") == Some("true");
            Draft::at(String::new(), actor, time, if is_exact { Clock::right() } else { clock })
        }
    };
    draft.pending.id = event.uuid.or_else(|| properties.text("$insert_id"));
    match name.as_str() {
        "$identify" => Ok(identity::described(draft, properties)),
        "$create_alias" => {
            let alias = properties.text("alias");
            identity::merged(draft, "/properties/alias", alias, properties)
        }
        "$groupidentify" => {
            let group = properties.text("$group_key");
            identity::grouped(draft, "/properties/$group_key", group, properties)
        }
        _ => {
            draft.pending.value = properties.amount();
            draft.pending.activity_type = name;
            draft.pending.properties = properties.into_json();
            Ok(draft)
        }
    }
}

/// The key that an event of a browser has in its properties, or beside them.
pub(super) fn key(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Keyed {
        #[serde(default)]
        api_key: Option<String>,
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        properties: Option<Properties>,
    }
    #[derive(Deserialize)]
    struct Properties {
        #[serde(default)]
        token: Option<String>,
    }
    let keyed: Keyed = serde_json::from_str(raw.get()).ok()?;
    keyed.api_key.or(keyed.token).or(keyed.properties?.token)
}
