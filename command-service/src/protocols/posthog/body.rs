use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chassis::{Problem, parse_json};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::super::clock::Clock;
use super::super::ingest::Received;
use super::super::message::Messages;
use super::event;

/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    api_key: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, borrow)]
    sent_at: Option<&'a RawValue>,
    #[serde(default, borrow)]
    batch: Option<Vec<&'a RawValue>>,
}

/// Reads a batch, a list of events or one event: as JSON, as gzip that no header names, or as base64 in a form, which is
/// what browsers send when a page goes away.
pub(super) fn read(received: &Received) -> Result<Messages, Problem> {
    let text = text(received)?;
    let in_query = |name: &str| {
        let query = received.parts.uri.query().unwrap_or_default().as_bytes();
        form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let sent_at_in_query = in_query("sent_at").or_else(|| in_query("_"));
    let sent_at_in_query = sent_at_in_query.and_then(|text| match text.parse::<u64>() {
        Ok(milliseconds) => to_raw_value(&milliseconds).ok(),
        Err(_) => to_raw_value(&text).ok(),
    });
    let (key, sent_at, events) = if text.trim_ascii_start().starts_with(b"[") {
        let events: Vec<&RawValue> = serde_json::from_slice(&text).map_err(|error| {
            Problem::bad_request("malformed-json").with_detail(format!("The body is not JSON: {error}."))
        })?;
        (None, None, events)
    } else {
        let body: Body<'_> = parse_json(&text)?;
        let events = match body.batch {
            Some(batch) => batch,
            None => vec![parse_whole(&text)?],
        };
        (body.api_key.or(body.token), body.sent_at, events)
    };
    let clock = Clock::of(sent_at.or(sent_at_in_query.as_deref()), received.at);
    let key = key.or_else(|| in_query("token")).or_else(|| events.first().and_then(|raw| event::key(raw)));
    let items = events.into_iter().map(|raw| event::read(raw, clock, received.at)).collect();
    Ok(Messages { key, items })
}

fn parse_whole(text: &[u8]) -> Result<&RawValue, Problem> {
    serde_json::from_slice(text).map_err(Problem::internal)
}

/// The JSON of the body.
fn text(received: &Received) -> Result<Cow<'_, [u8]>, Problem> {
    let body = &received.body[..];
    if body.starts_with(&GZIP) {
        return Ok(Cow::Owned(received.gunzip(body)?.to_vec()));
    }
    if !received.header("content-type").starts_with(FORM) {
        return Ok(Cow::Borrowed(body));
    }
    let data = form_urlencoded::parse(body).find(|(name, _)| name == "data").map(|(_, value)| value);
    let data = data
        .ok_or_else(|| Problem::bad_request("malformed-form").with_detail("The form has no field data."))?;
    if data.trim_start().starts_with(['{', '[']) {
        return Ok(Cow::Owned(data.into_owned().into_bytes()));
    }
    // A plus is a space in a form, and some clients do not escape it.
    let decoded = STANDARD.decode(data.replace(' ', "+").as_bytes()).map_err(|_| {
        Problem::bad_request("malformed-form")
            .with_detail("The form's field data is neither JSON nor base64.")
    })?;
    if decoded.starts_with(&GZIP) {
        return Ok(Cow::Owned(received.gunzip(&decoded)?.to_vec()));
    }
    Ok(Cow::Owned(decoded))
}
