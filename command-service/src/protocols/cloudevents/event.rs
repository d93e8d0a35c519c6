use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chassis::FieldError;
use domain::{ActivityId, Json};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest, Sha256};

use super::super::clock::Clock;
use super::super::members::Members;
use super::super::message::{Draft, Message, fault};
use super::HEADER_PREFIX;

/// The version of CloudEvents that is read.
const VERSION: &str = "1.0";

/// An event as one JSON object.
pub(super) fn structured(raw: &RawValue) -> Message {
    let read = Members::of(Some(raw)).map_err(|detail| vec![fault("", detail)]);
    let (mut attributes, data) = match read {
        Ok(mut members) => {
            let data = members.take("data").map(|raw| object(raw.get()));
            let encoded = members.take("data_base64").map(|raw| named("data_base64", raw.get()));
            (members, data.or(encoded).flatten())
        }
        Err(errors) => return Message::rejected(None, errors),
    };
    message(&mut attributes, data)
}

/// An event whose attributes are headers and whose data is the body.
pub(super) fn binary(headers: &HeaderMap, body: &[u8]) -> Message {
    let texts: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(HEADER_PREFIX)?;
            let text = percent_decode_str(value.to_str().ok()?).decode_utf8().ok()?;
            Some((name.to_owned(), text.into_owned()))
        })
        .collect();
    let mut attributes = Members::default();
    for (name, text) in texts {
        attributes.push(Cow::Owned(name), &text);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    attributes.add("datacontenttype", Some(content_type).filter(|text| !text.is_empty()));
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let is_json = media_type.ends_with("/json") || media_type.ends_with("+json");
    let text = std::str::from_utf8(body).ok();
    let unsaid = text.filter(|_| content_type.is_empty()).and_then(|text| serde_json::from_str(text).ok());
    let data = match text {
        _ if body.is_empty() => None,
        // Some clients say JSON by saying nothing.
        _ if unsaid.is_some() => unsaid.and_then(|raw: &RawValue| object(raw.get())),
        Some(text) if is_json => match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => object(raw.get()),
            Err(error) => {
                let detail = format!("is not JSON: {error}");
                return Message::rejected(attributes.text("id"), vec![fault("/data", detail)]);
            }
        },
        Some(text) => to_raw_value(text).ok().and_then(|raw| named("data", raw.get())),
        None => to_raw_value(&STANDARD.encode(body)).ok().and_then(|raw| named("data_base64", raw.get())),
    };
    message(&mut attributes, data)
}

/// Data as properties: an object as it is, and what is none under the name `data`.
fn object(raw: &str) -> Option<Json> {
    if raw.starts_with('{') {
        parse(raw.to_owned())
    } else if raw == "null" {
        None
    } else {
        named("data", raw)
    }
}

fn named(name: &str, raw: &str) -> Option<Json> {
    parse(format!("{{\"{name}\":{raw}}}"))
}

fn parse(text: String) -> Option<Json> {
    RawValue::from_string(text).ok().map(Json)
}

fn message(attributes: &mut Members<'_>, data: Option<Json>) -> Message {
    let id = attributes.text("id");
    match draft(attributes, data) {
        Ok(draft) => Message { id, draft: Ok(draft) },
        Err(error) => Message::rejected(id, vec![error]),
    }
}

fn draft(attributes: &mut Members<'_>, data: Option<Json>) -> Result<Draft, FieldError> {
    let version = required(attributes, "specversion")?;
    if version != VERSION {
        return Err(fault("/specversion", "must be 1.0"));
    }
    let id = required(attributes, "id")?;
    let activity_type = required(attributes, "type")?;
    let source = required(attributes, "source")?;
    let subject = text(attributes, "subject")?;
    let time = attributes.take("time");
    let actor = subject.unwrap_or_else(|| source.clone());
    // JSON goes without saying in one form and not in the other; the event is the same.
    let content_type = text(attributes, "datacontenttype")?;
    attributes.add("datacontenttype", content_type.filter(|text| !text.starts_with("application/json")));
    let mut draft = Draft::new(activity_type, actor, ("/time", time.as_deref()), Clock::right())?;
    draft.pending.id = Some(unique_id(&source, &id));
    draft.pending.properties = data;
    attributes.add("source", Some(source));
    draft.pending.context = std::mem::take(attributes).into_json();
    Ok(draft)
}

/// Takes an attribute that an event must have.
fn required(attributes: &mut Members<'_>, name: &'static str) -> Result<String, FieldError> {
    text(attributes, name)?.ok_or_else(|| fault(&format!("/{name}"), "must not be empty"))
}

fn text(attributes: &mut Members<'_>, name: &'static str) -> Result<Option<String>, FieldError> {
    let Some(raw) = attributes.take(name) else { return Ok(None) };
    let text: Option<String> =
        serde_json::from_str(raw.get()).map_err(|_| fault(&format!("/{name}"), "must be a text"))?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Source and id, as short as an id must be.
fn unique_id(source: &str, id: &str) -> String {
    let whole = format!("{source}#{id}");
    if whole.chars().count() <= ActivityId::CHARS_MAX {
        return whole;
    }
    Sha256::digest(whole.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
