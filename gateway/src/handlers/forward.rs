use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use access::ALLOWED_ORIGIN_HEADER;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use chassis::{Closing, Https, INTERNAL_KEY_HEADER, PRINCIPAL_HEADER, UpstreamError};
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt;

use crate::allowance::Allowance;
use crate::client::Client;
use crate::credentials::Credential;
use crate::error::GatewayError;
use crate::headers;
use crate::places::PlacePermit;
use crate::routes::{Pages, Route, SESSION_PATH, Session};
use crate::state::AppState;

/// Forwards a request to the service of its route, and returns the service's response. Path, query and body stay as they
/// are.
pub(crate) async fn forward(
    state: &AppState,
    route: &Route,
    request: Request,
) -> Result<Response, GatewayError> {
    let (mut parts, body) = request.into_parts();
    let (client, https) = origin(state, &parts);
    // What this router noted about the request must not reach the service's router in the same process.
    let closing = parts.extensions.remove::<Closing>();
    parts.extensions.clear();
    if let Some(closing) = closing {
        parts.extensions.insert(closing);
    }
    headers::strip(&mut parts.headers);
    // It names the gateway; a service is reached under an address of its own.
    parts.headers.remove(HOST);
    headers::set_forwarded_for(&mut parts.headers, client);
    state.session_cookie.rename_for_services(&mut parts.headers);
    // Beside the key a service believes what the gateway says: who connected, and whose session it is.
    parts.headers.insert(INTERNAL_KEY_HEADER, state.internal_key.header());
    if route.session == Session::Resolve {
        // On the heap, as whatever is seldom awaited here: its size would be every request's.
        if !parts.headers.contains_key(AUTHORIZATION) {
            Box::pin(exchange_cookie(state, &parts.method, &mut parts.headers)).await?;
        }
    }
    if route.session != Session::Forward {
        parts.headers.remove(COOKIE);
    }
    let mut credential = state.credentials.of_request(&parts.headers).await;
    if route.session == Session::Ignore && credential.is_none() {
        credential = client.map(|address| state.credentials.of_address(address));
    }
    // Refused here, so that a flood of them costs little; a service that deals with sessions itself need not read it.
    if route.session == Session::Resolve && credential.as_ref().is_some_and(|shown| shown.is_malformed) {
        metrics::counter!("daybook_token_refused_total", "reason" => "malformed").increment(1);
        return Err(GatewayError::TokenMalformed);
    }
    let allowance = credential.as_ref().map(|credential| state.rates.count(credential)).transpose()?;
    // Held until the head of the response: what a service then still sends, it sends at its reader's pace.
    let _place = match (&credential, &allowance) {
        (Some(credential), Some(allowance)) => take_place(credential, route.path, allowance).await?,
        _ => None,
    };
    let page = if route.pages == Pages::All { parts.headers.get(ORIGIN).cloned() } else { None };
    let ended = session_ended_by(route, &parts);
    let changes_sessions = route.is_about_people() && parts.method != Method::GET;

    let upstream = state.upstream(route.target);
    // In this process the service itself sees that a body breaks off, and says so.
    let (body, broken) = if upstream.is_local() { (body, None) } else { watched(body) };
    let call = upstream.call(Request::from_parts(parts, body));
    let timeout = state.limits.answer_timeout;
    let answered = tokio::time::timeout(timeout, call).await.unwrap_or(Err(UpstreamError::TimedOut(timeout)));
    let mut response = answered.map_err(|error| {
        if broken.is_some_and(|broken| broken.load(Ordering::Relaxed)) {
            GatewayError::BodyBroken
        } else {
            GatewayError::Upstream { service: route.target, error }
        }
    })?;

    if let Some(cookie) = ended.filter(|_| response.status().is_success()) {
        Box::pin(state.sessions.end(&cookie)).await;
    }
    if changes_sessions && response.status().is_success() {
        state.sessions.expire_all();
    }
    if let Some(credential) = credential.filter(|credential| credential.customer.is_none()) {
        Box::pin(state.credentials.learn(credential, response.status())).await;
    }
    response.extensions_mut().clear();
    let allowed_origin = match route.pages {
        Pages::All => page,
        Pages::OfToken => response.headers().get(ALLOWED_ORIGIN_HEADER).cloned(),
        Pages::None => None,
    };
    headers::strip(response.headers_mut());
    if route.pages != Pages::None {
        headers::set_allowed_origin(response.headers_mut(), allowed_origin);
    }
    state.session_cookie.rename_for_browsers(response.headers_mut(), https);
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    // A response depends on the caller, so that no shared cache may keep it, and it is revalidated each time unless the
    // service says otherwise.
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// Takes one of the places of the credential's customer; a credential whose customer is not known yet needs none.
async fn take_place(
    credential: &Credential,
    path: &str,
    allowance: &Allowance,
) -> Result<Option<PlacePermit>, GatewayError> {
    let Some(customer) = &credential.customer else { return Ok(None) };
    if let Some(place) = customer.take(path).await {
        return Ok(Some(place));
    }
    metrics::counter!("daybook_gateway_rate_limited_total", "limit" => "places").increment(1);
    Err(GatewayError::TooManyRequests { retry_after_s: 1, allowance: allowance.clone() })
}

/// From where the client connects, and whether over HTTPS as far as it can tell.
fn origin(state: &AppState, parts: &http::request::Parts) -> (Option<IpAddr>, bool) {
    let here = parts.extensions.get::<Https>().is_some();
    let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
        return (None, here);
    };
    let client = Client::of(*peer, &parts.headers, &state.trusted_proxies);
    (Some(client.address), here || client.https)
}

/// Puts the principal of the session cookie into the headers, of a request that has no `Authorization` to speak for it.
async fn exchange_cookie(
    state: &AppState,
    method: &Method,
    headers: &mut HeaderMap,
) -> Result<(), GatewayError> {
    if let Some(cookie) = headers::session_cookie(headers) {
        let write = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let principal = state.sessions.resolve(cookie, headers::csrf_token(headers), write).await?;
        headers.insert(PRINCIPAL_HEADER, principal);
    }
    Ok(())
}

/// The session that ends if this request succeeds.
fn session_ended_by(route: &Route, request: &http::request::Parts) -> Option<String> {
    let log_out = route.path == SESSION_PATH && request.method == Method::DELETE;
    headers::session_cookie(&request.headers).filter(|_| log_out).map(str::to_owned)
}

/// Returns the body, and whether it broke off: then the client is at fault, and not the service that could not read it.
fn watched(body: Body) -> (Body, Option<Arc<AtomicBool>>) {
    use http_body::Body as _;
    if body.is_end_stream() {
        return (body, None);
    }
    let broken = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&broken);
    let watched = body.map_err(move |error| {
        flag.store(true, Ordering::Relaxed);
        error
    });
    (Body::new(watched), Some(broken))
}
