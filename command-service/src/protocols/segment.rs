//! Segment's tracking API, which RudderStack speaks too: seven calls, each alone or in a batch.
//!
//! `track` is an activity of the type `event`; `page` and `screen` are of the types `$pageview` and `$screen`. The actor is
//! `userId`, else `anonymousId`. `messageId` is the id. A batch that is partly rejected is a success, for its clients give up
//! a whole batch otherwise; what is rejected stands in the answer.

mod message;
mod routes;

use axum::Json;
use axum::response::{IntoResponse, Response};
use chassis::{Problem, parse_json};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Protocol;
use super::ingest::Received;
use super::message::{Message, Messages};
use super::results::Results;
use crate::batch::RejectedItem;

pub(super) use routes::{aliases, documented};

/// Several calls in one body.
pub(super) struct SegmentBatch;
/// One call, whose kind the address says; `KIND` is a place in [`KINDS`].
pub(super) struct SegmentCall<const KIND: usize>;

/// The calls, as messages of a batch name them.
const KINDS: [&str; 6] = ["track", "identify", "page", "screen", "group", "alias"];

const FIELDS: &[(&str, &str)] =
    &[("/id", "/messageId"), ("/type", "/event"), ("/actor", "/userId"), ("/occurred_at", "/timestamp")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
    #[serde(default, borrow)]
    sent_at: Option<&'a RawValue>,
    #[serde(default)]
    write_key: Option<String>,
    #[serde(default, borrow)]
    context: Option<&'a RawValue>,
}

/// What a client of Segment's hears.
#[derive(Serialize, ToSchema)]
pub(crate) struct SegmentAnswer {
    /// Always true: something of the request is recorded.
    success: bool,
    /// Messages that are not recorded, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<RejectedItem>,
}

impl Protocol for SegmentBatch {
    const NAME: &'static str = "segment";
    const FIELDS: &'static [(&'static str, &'static str)] = FIELDS;
    const KEY_IN_BODY: bool = true;

    fn read(received: &Received) -> Result<Messages, Problem> {
        let body: Body<'_> = parse_json(&received.body)?;
        let whole = message::Whole { sent_at: body.sent_at, context: body.context, received_at: received.at };
        let items =
            body.batch.into_iter().map(|raw| message::read(raw.get().as_bytes(), None, &whole)).collect();
        Ok(Messages { key: body.write_key, items })
    }

    fn answer(_: &Received, results: &Results) -> Response {
        answer(results, "/batch")
    }

    fn refuse(_: Option<&HeaderValue>, problem: Problem) -> Response {
        refuse(problem)
    }
}

impl<const KIND: usize> Protocol for SegmentCall<KIND> {
    const NAME: &'static str = "segment";
    const FIELDS: &'static [(&'static str, &'static str)] = FIELDS;
    const KEY_IN_BODY: bool = true;

    fn read(received: &Received) -> Result<Messages, Problem> {
        let Key { write_key } = parse_json(&received.body)?;
        let whole = message::Whole { sent_at: None, context: None, received_at: received.at };
        let item: Message = message::read(&received.body, Some(KINDS[KIND]), &whole);
        Ok(Messages { key: write_key, items: vec![item] })
    }

    fn answer(_: &Received, results: &Results) -> Response {
        answer(results, "")
    }

    fn refuse(_: Option<&HeaderValue>, problem: Problem) -> Response {
        refuse(problem)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    #[serde(default)]
    write_key: Option<String>,
}

fn answer(results: &Results, list: &str) -> Response {
    if results.is_all_rejected() {
        let mut faults = results.faults(list);
        if list.is_empty() {
            // The body is the message itself.
            for fault in &mut faults {
                fault.pointer = fault.pointer.replacen("/0", "", 1);
            }
        }
        return refuse(Problem::invalid(faults));
    }
    Json(SegmentAnswer { success: true, rejected: results.rejected() }).into_response()
}

/// The problem, with `code` and `message`: a client that does not find them takes a refusal for a broken connection, and sends
/// the same ten times more. Content that is at fault is 400, after which none of the clients tries again.
fn refuse(mut problem: Problem) -> Response {
    if problem.status == StatusCode::UNPROCESSABLE_ENTITY {
        problem.status = StatusCode::BAD_REQUEST;
    }
    let code = problem.kind.trim_start_matches("/problems/").to_owned();
    let fault = problem.errors.first().map(|error| format!("{} {}", error.pointer, error.detail));
    let message = problem.detail.clone().or(fault).unwrap_or_else(|| problem.title.clone());
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(&problem) else {
        return problem.into_response();
    };
    fields.extend([
        ("success".to_owned(), false.into()),
        ("code".to_owned(), code.into()),
        ("message".to_owned(), message.into()),
    ]);
    let (mut parts, _) = problem.into_response().into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, serde_json::Value::Object(fields).to_string().into())
}
