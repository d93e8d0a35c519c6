//! PostHog's capture API: events one by one or in a batch, with the key in the body, and its later form with the key in a
//! header and an answer for each event.
//!
//! The type is `event`, the actor `distinct_id`, the id `uuid`. The key is taken out of the properties, where browsers have
//! it. What its clients ask beside, flags and settings, is answered with nothing to do.

mod body;
mod event;
mod routes;
mod settings;

use axum::Json;
use axum::response::{IntoResponse, Response};
use chassis::{Problem, parse_json};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::Protocol;
use super::clock::Clock;
use super::ingest::Received;
use super::message::Messages;
use super::results::{Outcome, Results};
use crate::batch::RejectedItem;

pub(super) use routes::{aliases, documented};

/// Events with the key in the body.
pub(super) struct PostHogCapture;
/// Events with the key in a header, each of which is answered.
pub(super) struct PostHogEvents;

const NAME: &str = "posthog";
const FIELDS: &[(&str, &str)] =
    &[("/id", "/uuid"), ("/type", "/event"), ("/actor", "/distinct_id"), ("/occurred_at", "/timestamp")];
/// When the client sent it, by its own clock.
const SENT_AT_HEADER: &str = "posthog-request-timestamp";

/// What a client hears that has its key in the body.
#[derive(Serialize, ToSchema)]
pub(crate) struct PostHogAnswer {
    /// Always `Ok`: something of the request is recorded.
    status: &'static str,
    /// Events that are not recorded, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<RejectedItem>,
}

/// What became of each event, by its `uuid`.
#[derive(Serialize, ToSchema)]
pub(crate) struct PostHogResults {
    results: BTreeMap<String, PostHogResult>,
}

/// What became of an event.
#[derive(Serialize, ToSchema)]
pub(crate) struct PostHogResult {
    /// `ok`, or `drop`: sending it again would not help.
    #[schema(example = "ok")]
    result: &'static str,
    /// Why it is not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<String>,
}

impl Protocol for PostHogCapture {
    const NAME: &'static str = NAME;
    const FIELDS: &'static [(&'static str, &'static str)] = FIELDS;
    const KEY_IN_BODY: bool = true;

    fn read(received: &Received) -> Result<Messages, Problem> {
        body::read(received)
    }

    fn answer(_: &Received, results: &Results) -> Response {
        if results.is_all_rejected() {
            return refuse(Problem::invalid(results.faults("/batch")));
        }
        Json(PostHogAnswer { status: "Ok", rejected: results.rejected() }).into_response()
    }

    fn refuse(_: Option<&HeaderValue>, problem: Problem) -> Response {
        refuse(problem)
    }
}

impl Protocol for PostHogEvents {
    const NAME: &'static str = NAME;
    const FIELDS: &'static [(&'static str, &'static str)] = FIELDS;

    fn read(received: &Received) -> Result<Messages, Problem> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            batch: Vec<&'a RawValue>,
        }
        let body: Body<'_> = parse_json(&received.body)?;
        let sent_at = to_raw_value(received.header(SENT_AT_HEADER)).ok();
        let clock = Clock::of(sent_at.as_deref(), received.at);
        let items = body.batch.into_iter().map(|raw| event::read(raw, clock, received.at)).collect();
        Ok(Messages { key: None, items })
    }

    /// An event without a `uuid` cannot be answered; the list of rejections has it.
    fn answer(_: &Received, results: &Results) -> Response {
        let result = |(id, outcome): &(Option<String>, Outcome)| {
            let (result, details) = match outcome {
                Outcome::Recorded | Outcome::Duplicate => ("ok", None),
                Outcome::Rejected(errors) => {
                    let fault = errors.iter().map(|error| format!("{}: {}", error.pointer, error.detail));
                    ("drop", Some(fault.collect::<Vec<_>>().join("; ")))
                }
            };
            Some((id.clone()?, PostHogResult { result, details }))
        };
        Json(PostHogResults { results: results.0.iter().filter_map(result).collect() }).into_response()
    }

    fn refuse(_: Option<&HeaderValue>, problem: Problem) -> Response {
        refuse(problem)
    }
}

/// Content that is at fault is 400, after which none of the clients tries again.
fn refuse(mut problem: Problem) -> Response {
    if problem.status == StatusCode::UNPROCESSABLE_ENTITY {
        problem.status = StatusCode::BAD_REQUEST;
    }
    problem.into_response()
}
