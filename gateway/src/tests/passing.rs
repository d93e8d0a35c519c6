//! What goes through the door, and how.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use chassis::Upstream;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http::StatusCode;
use tower::ServiceExt;

use super::{Witness, bearer, config, door, listening, problem, request, send, text, witnessed};
use crate::Config;

#[tokio::test]
async fn what_only_services_may_say_is_taken_out() {
    let (door, witness) = witnessed();
    let request = request("GET", "/v1/activities")
        .header("x-daybook-principal", "{}")
        .header("X-Daybook-Internal-Key", "a-clients-guess-of-it")
        .header("x-daybook-else", "1")
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .header("te", "trailers")
        .header("forwarded", "for=1.2.3.4")
        .header("x-forwarded-for", "1.2.3.4");
    send(&door, request).await;
    let headers = witness.last().headers;
    let names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["x-request-id", "x-daybook-internal-key"]);
    assert_eq!(headers["x-daybook-internal-key"], "0123456789abcdef", "the gateway's own word");
}

#[tokio::test]
async fn what_describes_a_request_goes_along() {
    let (door, witness) = witnessed();
    let bearer = bearer(7);
    let given = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("if-match", "\"3\""),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-request-id", "mine-1"),
    ];
    let request = given
        .iter()
        .fold(request("POST", "/v1/activities"), |request, (name, value)| request.header(*name, *value));
    let response = send(&door, request).await;
    assert_eq!(response.headers()["x-request-id"], "mine-1");
    assert_eq!(response.headers()["cache-control"], "private, no-cache");
    let seen = witness.last();
    for (name, value) in given {
        assert_eq!(seen.headers[name], value);
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_before_any_service() {
    let (door, witness) = witnessed();
    let mistyped = format!("{}0", &bearer(7)[..bearer(7).len() - 1]);
    for text in ["Bearer x", "bearer dbk_", mistyped.as_str(), "Basic eDp5", "Basic ???"] {
        let response = send(&door, request("POST", "/v1/activities").header("authorization", text)).await;
        assert!(response.headers().contains_key("www-authenticate"));
        let (status, problem) = problem(response).await;
        assert_eq!((status.as_u16(), &problem["type"]), (401, &"/problems/token-malformed".into()), "{text}");
    }
    assert_eq!(witness.count(), 0);
    // Other ways to authenticate are the service's to refuse, and logging in needs no token.
    for (path, text) in [("/v1/activities", "Digest x"), ("/v1/session", "Bearer x")] {
        assert_eq!(send(&door, request("POST", path).header("authorization", text)).await.status(), 200);
    }
}

#[tokio::test]
async fn services_learn_who_connected() {
    let (door, witness) = witnessed();
    let door = listening(door).await;
    let request = request("GET", "/v1/activities").header("x-forwarded-for", "1.2.3.4").body(Body::empty());
    door.call(request.unwrap()).await.unwrap();
    assert_eq!(witness.last().headers["x-forwarded-for"], "127.0.0.1");
}

/// Sends every frame back as it comes.
fn echo() -> Router {
    Router::new()
        .route("/v1/activities", post(|request: Request| async { Response::new(request.into_body()) }))
}

async fn answers_while_the_request_still_comes(activities: Upstream) {
    let door = door(Config { activities, ..config() });
    let (mut sender, frames) = mpsc::channel::<Result<Bytes, std::io::Error>>(0);
    let body = Body::from_stream(frames);
    sender.try_send(Ok(Bytes::from_static(b"first"))).unwrap();
    let response = door.oneshot(request("POST", "/v1/activities").body(body).unwrap()).await;
    let mut frames = response.unwrap().into_body().into_data_stream();
    assert_eq!(frames.next().await.unwrap().unwrap(), "first");
    // 64 MiB, of which nobody ever holds more than a few frames.
    let megabyte = Bytes::from(vec![b'x'; 1024 * 1024]);
    let sending = tokio::spawn(async move {
        for _ in 0..64 {
            sender.send(Ok(megabyte.clone())).await.unwrap();
        }
    });
    let mut bytes = 0;
    while let Some(frame) = frames.next().await {
        bytes += frame.unwrap().len();
    }
    sending.await.unwrap();
    assert_eq!(bytes, 64 * 1024 * 1024);
}

#[tokio::test]
async fn a_body_streams_through_to_a_service_in_this_process() {
    answers_while_the_request_still_comes(Upstream::Local(echo())).await;
}

#[tokio::test]
async fn a_body_streams_through_to_a_service_elsewhere() {
    answers_while_the_request_still_comes(listening(echo()).await).await;
}

#[tokio::test]
async fn an_early_refusal_reaches_a_client_that_is_still_sending() {
    let refuse =
        || async { chassis::Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large").into_response() };
    let service = listening(Router::new().route("/v1/activities", post(refuse))).await;
    let door = listening(door(Config { activities: service, ..config() })).await;
    for _ in 0..5 {
        let body = Body::from(vec![b'x'; 9 * 1024 * 1024]);
        let response = door.call(request("POST", "/v1/activities").body(body).unwrap()).await.unwrap();
        let (status, problem) = problem(response).await;
        assert_eq!((status.as_u16(), &problem["type"]), (413, &"/problems/body-too-large".into()));
    }
}

#[tokio::test]
async fn compressed_answers_stay_as_they_are() {
    let service = Router::new()
        .fallback(|| async { ([("content-encoding", "gzip"), ("x-daybook-secret", "1")], "not really") });
    let door = door(Config { activities: Upstream::Local(service), ..config() });
    let response = send(&door, request("GET", "/v1/history").header("accept-encoding", "gzip")).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(!response.headers().contains_key("x-daybook-secret"));
    assert_eq!(text(response).await, "not really");
}

#[tokio::test]
async fn who_connects_is_whom_a_trusted_proxy_names_and_nobody_elses_word() {
    let witness = Witness::default();
    let activities = Upstream::Local(witness.service("activities"));
    let trusted_proxies = "10.0.0.0/8".parse().unwrap();
    let door = door(Config { activities, trusted_proxies, ..config() });
    for (peer, client) in
        [("10.0.0.1:5", "203.0.113.9"), ("192.0.2.1:5", "192.0.2.1"), ("[::ffff:10.0.0.1]:5", "203.0.113.9")]
    {
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        let request = request("GET", "/v1/history")
            .extension(axum::extract::ConnectInfo(peer))
            .header("x-forwarded-for", "6.6.6.6, 203.0.113.9")
            .header("x-forwarded-proto", "https");
        send(&door, request).await;
        let headers = witness.last().headers;
        assert_eq!(headers["x-forwarded-for"], client, "{peer}");
        assert!(!headers.contains_key("x-forwarded-proto"));
    }
}

#[tokio::test]
async fn a_foreign_client_needs_no_csrf_token_for_a_cookie_that_a_page_sends_along() {
    let (door, witness) = witnessed();
    for path in
        ["/v1/batch", "/v1/t", "/batch/", "/e/?ip=0", "/i/v1/analytics/events", "/v1/logs", "/v1/cloudevents"]
    {
        let answer = send(&door, request("POST", path).header("cookie", "daybook_session=abc")).await;
        assert_eq!(answer.status(), 200, "{path}");
        let seen = witness.last();
        assert_eq!((seen.service, seen.path.as_str()), ("activities", path));
        assert!(!seen.headers.contains_key("cookie"), "{path}");
    }
}

#[tokio::test]
async fn a_foreign_clients_malformed_token_is_refused_by_its_service() {
    let (door, witness) = witnessed();
    let answer = send(&door, request("POST", "/v1/batch").header("authorization", "Bearer typo")).await;
    assert_eq!((answer.status().as_u16(), witness.last().path), (200, "/v1/batch".to_owned()));
}
