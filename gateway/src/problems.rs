use std::collections::HashMap;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chassis::{Problem, REQUEST_ID_HEADER};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde_json::value::RawValue;

use crate::error::GatewayError;

/// The largest problem to which an instance is added, in bytes.
const PROBLEM_BYTES_MAX: u64 = 64 * 1024;
const PROBLEM_JSON: &str = "application/problem+json";

/// What is kept of a request until its response is ready.
pub(crate) struct RequestName {
    is_head: bool,
    id: Option<HeaderValue>,
}

impl RequestName {
    pub(crate) fn of(request: &Request) -> Self {
        let id = request.headers().get(REQUEST_ID_HEADER).cloned();
        Self { is_head: request.method() == Method::HEAD, id }
    }

    /// The `instance` of the request's problems.
    fn instance(&self) -> Option<String> {
        let id = self.id.as_ref()?.to_str().ok()?;
        Some(format!("urn:daybook:request:{id}"))
    }
}

/// The response to a request that the gateway itself rejects.
pub(crate) fn reject(request: &RequestName, error: GatewayError) -> Response {
    let mut response = error.into_named_response(request.instance());
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Completes every other response: an error without a problem becomes one, and a problem gets the request as `instance`.
pub(crate) async fn finish(request: RequestName, mut response: Response) -> Response {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    if is_plain(&response) {
        response = into_problem(response).await;
    }
    if !has_type(response.headers(), PROBLEM_JSON) || !is_small(&response) {
        return response;
    }
    if request.is_head {
        // The body is not sent, and its length with the instance in it is not known.
        response.headers_mut().remove(CONTENT_LENGTH);
        return response;
    }
    match request.instance() {
        Some(instance) => name_request(response, &instance).await,
        None => response,
    }
}

fn has_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with(media_type))
}

fn is_small(response: &Response) -> bool {
    let size = response.body().size_hint().upper();
    size.is_some_and(|size| size <= PROBLEM_BYTES_MAX) && !response.headers().contains_key(CONTENT_ENCODING)
}

/// Whether an error has no body, or plain text: what axum returns by itself.
fn is_plain(response: &Response) -> bool {
    let empty =
        response.body().size_hint().exact() == Some(0) && !response.headers().contains_key(CONTENT_TYPE);
    empty || (has_type(response.headers(), "text/plain") && is_small(response))
}

/// The same error as a problem; its type is made from the status.
async fn into_problem(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let reason = parts.status.canonical_reason().unwrap_or("Error");
    let mut problem = Problem::new(parts.status, &reason.to_ascii_lowercase().replace(' ', "-"));
    let text = body.collect().await.ok().map(|text| String::from_utf8_lossy(&text.to_bytes()).into_owned());
    if parts.status.is_client_error() {
        problem.detail = text.filter(|text| !text.is_empty());
    }
    parts.headers.remove(CONTENT_LENGTH);
    let (made, body) = problem.into_response().into_parts();
    parts.headers.extend(made.headers);
    Response::from_parts(parts, body)
}

/// Adds `instance` to a problem that has none.
async fn name_request(response: Response, instance: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Problem::internal("a service's error broke off").into_response();
    };
    let body = body.to_bytes();
    let body = match with_instance(&body, instance) {
        Some(named) => {
            parts.headers.remove(CONTENT_LENGTH);
            named
        }
        None => body,
    };
    Response::from_parts(parts, Body::from(body))
}

/// The problem with `instance` added at its end, so that its other members keep their order; `None` if it is no JSON object
/// or has an instance.
fn with_instance(problem: &[u8], instance: &str) -> Option<Bytes> {
    let members: HashMap<&str, &RawValue> = serde_json::from_slice(problem).ok()?;
    if members.contains_key("instance") {
        return None;
    }
    let open = problem.trim_ascii_end().strip_suffix(b"}")?;
    let comma: &[u8] = if members.is_empty() { b"" } else { b"," };
    let instance = serde_json::to_vec(instance).ok()?;
    Some([open, comma, b"\"instance\":", &instance, b"}"].concat().into())
}
