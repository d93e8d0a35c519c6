//! OpenTelemetry logs over HTTP (OTLP/HTTP 1.x), as protobuf and as JSON.
//!
//! A log record is an activity: its type is the record's event name, else `log`; its actor the user that the attributes
//! name, else the session, else the service. A record has no id unless it has the attribute `log.record.uid`: one is made of
//! its content, and of how often the same content came before in the request, so that a request sent again is duplicates.

mod json;
mod record;
mod routes;
mod value;
mod wire;

use axum::response::{IntoResponse, Response};
use chassis::Problem;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use prost::Message as _;

use super::Protocol;
use super::ingest::Received;
use super::message::Messages;
use super::results::Results;

pub(super) use routes::{aliases, documented};

/// Log records.
pub(super) struct OtlpLogs;

const PROTOBUF: &str = "application/x-protobuf";
const FIELDS: &[(&str, &str)] = &[
    ("/id", "/attributes/log.record.uid"),
    ("/type", "/eventName"),
    ("/actor", "/attributes/user.id"),
    ("/occurred_at", "/timeUnixNano"),
    ("/properties", "/attributes"),
    ("/context", "/resource"),
];
/// The most faults that an answer names.
const FAULTS_MAX: usize = 20;
/// `INVALID_ARGUMENT` of gRPC.
const INVALID_ARGUMENT: i32 = 3;

impl Protocol for OtlpLogs {
    const NAME: &'static str = "otlp";
    const FIELDS: &'static [(&'static str, &'static str)] = FIELDS;

    fn read(received: &Received) -> Result<Messages, Problem> {
        let content_type = received.header("content-type");
        let items = if content_type.starts_with(PROTOBUF) {
            let request = wire::ExportLogsRequest::decode(&received.body[..]).map_err(|error| {
                Problem::bad_request("malformed-protobuf")
                    .with_detail(format!("The body cannot be read: {error}."))
            })?;
            record::of_request(request)
        } else if content_type.starts_with("application/json") {
            json::read(&received.body)?
        } else {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
                .with_detail("Send content-type: application/x-protobuf or application/json."));
        };
        Ok(Messages { key: None, items })
    }

    fn answer(received: &Received, results: &Results) -> Response {
        let rejected = results.rejected().len() as i64;
        let faults = results.faults("/records").into_iter().take(FAULTS_MAX);
        let faults: Vec<String> =
            faults.map(|error| format!("{}: {}", error.pointer, error.detail)).collect();
        if received.header("content-type").starts_with(PROTOBUF) {
            let partial_success =
                (rejected > 0).then(|| wire::PartialSuccess { rejected, error_message: faults.join("; ") });
            let body = wire::ExportLogsAnswer { partial_success }.encode_to_vec();
            return ([(CONTENT_TYPE, PROTOBUF)], body).into_response();
        }
        let body = if rejected > 0 {
            // A 64-bit number is a text in the JSON of protobuf.
            serde_json::json!({"partialSuccess": {
                "rejectedLogRecords": rejected.to_string(), "errorMessage": faults.join("; ")
            }})
        } else {
            serde_json::json!({})
        };
        axum::Json(body).into_response()
    }

    /// As protobuf where the request was, with the details in the message. Content that is at fault is 400.
    fn refuse(content_type: Option<&HeaderValue>, mut problem: Problem) -> Response {
        if problem.status == StatusCode::UNPROCESSABLE_ENTITY {
            problem.status = StatusCode::BAD_REQUEST;
        }
        let is_protobuf = content_type.is_some_and(|value| value.as_bytes().starts_with(PROTOBUF.as_bytes()));
        if !is_protobuf {
            return problem.into_response();
        }
        let message = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
        let body = wire::Status { code: INVALID_ARGUMENT, message }.encode_to_vec();
        let (mut parts, _) = problem.into_response().into_parts();
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        parts.headers.remove(http::header::CONTENT_LENGTH);
        Response::from_parts(parts, body.into())
    }
}
