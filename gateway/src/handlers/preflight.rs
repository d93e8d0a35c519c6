use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN,
    VARY,
};
use http::{HeaderValue, StatusCode};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
/// The longest that browsers keep an answer is less, in seconds.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");
const VARY_BY: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

/// Answers what a browser asks before a page of another origin records something. It comes without the token, so it is
/// answered alike for every page: whether the page may use the token is decided when the token comes.
pub(crate) async fn preflight(headers: HeaderMap) -> Response {
    let mut response = (StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response();
    let answer = response.headers_mut();
    answer.insert(VARY, VARY_BY);
    if let Some(origin) = headers.get(ORIGIN).filter(|_| headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD))
    {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        // A client's own headers change nothing here.
        if let Some(asked) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
    }
    response
}
