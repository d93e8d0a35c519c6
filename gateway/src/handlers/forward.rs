use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use chassis::{Https, INTERNAL_KEY_HEADER, PRINCIPAL_HEADER, UpstreamError};
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST};
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt;

use crate::client::Client;
use crate::error::GatewayError;
use crate::headers;
use crate::rates::Payer;
use crate::router::Gateway;
use crate::routes::{Route, SESSION_PATH, Session};

/// Passes a request on to the service of its route, and the answer back. Path, query and body stay as they are.
pub(crate) async fn forward(
    gateway: &Gateway,
    route: &Route,
    request: Request,
) -> Result<Response, GatewayError> {
    let (mut parts, body) = request.into_parts();
    let (client, https) = origin(gateway, &parts);
    // What the router noted about this request means nothing to the next one.
    parts.extensions.clear();
    headers::strip(&mut parts.headers);
    // Names this door; a service is reached under an address of its own.
    parts.headers.remove(HOST);
    headers::set_forwarded_for(&mut parts.headers, client);
    gateway.session_cookie.enter(&mut parts.headers);
    // Beside the key a service believes what the gateway says: who connected, and whose session it is.
    parts.headers.insert(INTERNAL_KEY_HEADER, gateway.internal_key.header());
    if route.session == Session::Resolve {
        // On the heap, as whatever is seldom awaited here: its size would be every request's.
        if !parts.headers.contains_key(AUTHORIZATION) {
            Box::pin(exchange_cookie(gateway, &parts.method, &mut parts.headers)).await?;
        }
        parts.headers.remove(COOKIE);
    }
    let payer = gateway.rates.payer(&parts.headers).await;
    // Refused here, so that a flood of them costs little; a service that deals with sessions itself need not read it.
    if route.session == Session::Resolve && payer.as_ref().is_some_and(Payer::is_malformed) {
        metrics::counter!("daybook_token_refused_total", "reason" => "malformed").increment(1);
        return Err(GatewayError::TokenMalformed);
    }
    let allowance = payer.as_ref().map(|payer| gateway.rates.admit(payer)).transpose()?;
    // Held until the head of the answer: what a service then still sends, it sends at its reader's pace.
    let _place = match (&payer, &allowance) {
        (Some(payer), Some(allowance)) => gateway.rates.place(payer, route.path, allowance).await?,
        _ => None,
    };
    let ended = session_ended_by(route, &parts);
    let changes_sessions = route.is_about_people() && parts.method != Method::GET;

    let upstream = gateway.upstream(route.target);
    // In this process the service itself sees that a body breaks off, and says so.
    let (body, broken) = if upstream.is_local() { (body, None) } else { watched(body) };
    let call = upstream.call(Request::from_parts(parts, body));
    let timeout = gateway.limits.answer_timeout;
    let answered = tokio::time::timeout(timeout, call).await.unwrap_or(Err(UpstreamError::TimedOut(timeout)));
    let mut response = answered.map_err(|error| {
        if broken.is_some_and(|broken| broken.load(Ordering::Relaxed)) {
            GatewayError::BodyBroken
        } else {
            GatewayError::Upstream { service: route.target, error }
        }
    })?;

    if let Some(cookie) = ended.filter(|_| response.status().is_success()) {
        Box::pin(gateway.sessions.end(&cookie)).await;
    }
    if changes_sessions && response.status().is_success() {
        gateway.sessions.doubt_all();
    }
    if let Some(payer) = payer.filter(Payer::is_unknown) {
        Box::pin(gateway.rates.learn(payer, response.status())).await;
    }
    response.extensions_mut().clear();
    headers::strip(response.headers_mut());
    gateway.session_cookie.leave(response.headers_mut(), https);
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    // What depends on who asks is nobody else's, and is asked about every time unless the service knows better.
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// Who asks, and whether over HTTPS as far as the client is concerned.
fn origin(gateway: &Gateway, parts: &http::request::Parts) -> (Option<IpAddr>, bool) {
    let here = parts.extensions.get::<Https>().is_some();
    let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
        return (None, here);
    };
    let client = Client::of(*peer, &parts.headers, &gateway.trusted_proxies);
    (Some(client.address), here || client.https)
}

/// Puts the principal of the session cookie into the headers, of a request that has no `Authorization` to speak for it.
async fn exchange_cookie(
    gateway: &Gateway,
    method: &Method,
    headers: &mut HeaderMap,
) -> Result<(), GatewayError> {
    if let Some(cookie) = headers::session_cookie(headers) {
        let write = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let principal = gateway.sessions.resolve(cookie, headers::csrf_token(headers), write).await?;
        headers.insert(PRINCIPAL_HEADER, principal);
    }
    Ok(())
}

/// The session that ends if this request succeeds.
fn session_ended_by(route: &Route, request: &http::request::Parts) -> Option<String> {
    let log_out = route.path == SESSION_PATH && request.method == Method::DELETE;
    headers::session_cookie(&request.headers).filter(|_| log_out).map(str::to_owned)
}

/// The body, and whether it broke off: then the client is at fault, not the service that could not read it.
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
