use chassis::{FieldError, parse_json};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::clock::Clock;
use super::super::members::Members;
use super::super::message::{Draft, Message, fault};
use super::super::{identity, ids};

/// What is said once for all messages of a body.
pub(super) struct Whole<'a> {
    pub(super) sent_at: Option<&'a RawValue>,
    pub(super) context: Option<&'a RawValue>,
    pub(super) received_at: DateTime<Utc>,
}

/// A message, as far as it says something; what else it has is for Segment alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call<'a> {
    #[serde(rename = "type", default, deserialize_with = "ids::text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "ids::text")]
    message_id: Option<String>,
    #[serde(default, deserialize_with = "ids::text")]
    user_id: Option<String>,
    #[serde(default, deserialize_with = "ids::text")]
    anonymous_id: Option<String>,
    #[serde(default, deserialize_with = "ids::text")]
    previous_id: Option<String>,
    #[serde(default, deserialize_with = "ids::text")]
    group_id: Option<String>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default, borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(default, borrow)]
    original_timestamp: Option<&'a RawValue>,
    #[serde(default, borrow)]
    sent_at: Option<&'a RawValue>,
    #[serde(default, borrow)]
    properties: Option<&'a RawValue>,
    #[serde(default, borrow)]
    traits: Option<&'a RawValue>,
    #[serde(default, borrow)]
    context: Option<&'a RawValue>,
}

/// Reads one message; `kind` is that of its address, if the address says it.
pub(super) fn read(raw: &[u8], kind: Option<&str>, whole: &Whole<'_>) -> Message {
    let call: Call<'_> = match parse_json(raw) {
        Ok(call) => call,
        Err(problem) => return Message::rejected(None, problem.into_faults()),
    };
    let id = call.message_id.clone();
    match draft(call, kind, whole) {
        Ok(draft) => Message::draft(draft),
        Err(error) => Message::rejected(id, vec![error]),
    }
}

fn draft(call: Call<'_>, kind: Option<&str>, whole: &Whole<'_>) -> Result<Draft, FieldError> {
    let clock = Clock::of(call.sent_at.or(whole.sent_at), whole.received_at);
    let time = call.timestamp.or(call.original_timestamp);
    let actor = call.user_id.clone().or_else(|| call.anonymous_id.clone()).unwrap_or_default();
    let kind = kind.or(call.kind.as_deref()).unwrap_or_default().to_owned();
    let mut draft = Draft::new(String::new(), actor, ("/timestamp", time), clock)?;
    let object = |pointer, raw| Members::of(raw).map_err(|detail| fault(pointer, detail));

    let mut context = object("/context", call.context.or(whole.context))?;
    // Who somebody was before, so that it can be told later.
    context.add("anonymous_id", call.anonymous_id.filter(|_| call.user_id.is_some()));
    draft.pending.context = context.into_json();
    draft.pending.id = call.message_id;

    Ok(match kind.as_str() {
        "track" => {
            let properties = object("/properties", call.properties)?;
            draft.pending.activity_type = call.event.unwrap_or_default();
            draft.pending.value = properties.amount();
            draft.pending.properties = properties.into_json();
            draft
        }
        "page" | "screen" => {
            let mut properties = object("/properties", call.properties)?;
            properties.add("name", call.name);
            properties.add("category", call.category);
            let activity_type = if kind == "page" { "$pageview" } else { "$screen" };
            activity_type.clone_into(&mut draft.pending.activity_type);
            draft.pending.properties = properties.into_json();
            draft
        }
        "identify" => identity::described(draft, object("/traits", call.traits)?),
        "group" => identity::grouped(draft, "/groupId", call.group_id, object("/traits", call.traits)?)?,
        "alias" => identity::merged(draft, "/previousId", call.previous_id, Members::default())?,
        _ => return Err(fault("/type", "must be track, identify, page, screen, group or alias")),
    })
}
