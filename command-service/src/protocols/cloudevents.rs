//! CloudEvents 1.0 over HTTP: binary, structured as JSON, and batched.
//!
//! The type is `type`, the actor `subject`, else `source`. An event is known by its source and its id together (3.1 of the
//! specification), so the activity's id is `source#id`, or the SHA-256 of that if it is longer than an id may be. The data is
//! the properties; other attributes are the context.

mod event;
mod routes;

use axum::Json;
use axum::response::{IntoResponse, Response};
use chassis::Problem;
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use super::Protocol;
use super::ingest::Received;
use super::message::Messages;
use super::results::Results;

pub(super) use routes::{aliases, documented};

/// Events.
pub(super) struct CloudEvents;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCHED: &str = "application/cloudevents-batch+json";
/// Attributes of an event whose data is the body begin with it, as headers.
const HEADER_PREFIX: &str = "ce-";
const FIELDS: &[(&str, &str)] =
    &[("/actor", "/subject"), ("/occurred_at", "/time"), ("/properties", "/data"), ("/context", "")];

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::bad_request("malformed-json").with_detail(format!("The body is not JSON: {error}."))
}

/// Whether a header has an attribute: then the data is the body.
fn is_binary(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
}

impl Protocol for CloudEvents {
    const NAME: &'static str = "cloudevents";
    const FIELDS: &'static [(&'static str, &'static str)] = FIELDS;

    fn read(received: &Received) -> Result<Messages, Problem> {
        let content_type = received.header("content-type").to_ascii_lowercase();
        let items = if content_type.starts_with(BATCHED) {
            let events: Vec<&RawValue> =
                serde_json::from_slice(&received.body).map_err(|error| malformed(&error))?;
            events.into_iter().map(event::structured).collect()
        } else if content_type.starts_with(STRUCTURED) {
            let raw: &RawValue = serde_json::from_slice(&received.body).map_err(|error| malformed(&error))?;
            vec![event::structured(raw)]
        } else if is_binary(&received.parts.headers) {
            vec![event::binary(&received.parts.headers, &received.body)]
        } else {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
                .with_detail(format!("Send {STRUCTURED}, {BATCHED}, or the attributes as headers ce-….")));
        };
        Ok(Messages { key: None, items })
    }

    fn answer(received: &Received, results: &Results) -> Response {
        if !results.is_all_rejected() {
            return (StatusCode::ACCEPTED, Json(results.summary())).into_response();
        }
        let mut faults = results.faults("");
        if !received.header("content-type").starts_with(BATCHED) {
            // The body is the event itself.
            for fault in &mut faults {
                fault.pointer = fault.pointer.replacen("/0", "", 1);
            }
        }
        Problem::invalid(faults).into_response()
    }
}
