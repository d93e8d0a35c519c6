use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use chassis::{Problem, Upstream};
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use super::{config, door, ok, problem, request, send, text};
use crate::{Config, Limits};

fn before(service: Router) -> Router {
    door(Config { activities: Upstream::Local(service), ..config() })
}

#[tokio::test]
async fn an_unreachable_service_is_named() {
    let response = send(&door(config()), request("POST", "/v1/activities")).await;
    assert_eq!(response.headers()["retry-after"], "2");
    let (status, problem) = problem(response).await;
    assert_eq!((status.as_u16(), &problem["type"]), (503, &"/problems/service-unavailable".into()));
    assert_eq!(problem["detail"], "activities is not reachable; it comes back by itself.");
}

#[tokio::test]
async fn a_silent_service_is_not_waited_for_without_end() {
    let limits = Limits { answer_timeout: Duration::from_millis(20), ..Limits::default() };
    let service = Router::new().fallback(std::future::pending::<StatusCode>);
    let config = Config { activities: Upstream::Local(service), limits, ..config() };
    let (status, problem) = problem(send(&door(config), request("GET", "/v1/history")).await).await;
    assert_eq!((status.as_u16(), &problem["type"]), (504, &"/problems/service-timed-out".into()));
}

#[tokio::test]
async fn a_problem_of_a_service_names_its_request_and_keeps_everything_else() {
    let refuse = || async {
        let body = r#"{ "type":"/problems/x", "status":409, "extra":[1, 2.50] } "#;
        (StatusCode::CONFLICT, [("content-type", "application/problem+json"), ("etag", "\"1\"")], body)
            .into_response()
    };
    let door = before(Router::new().fallback(refuse));
    let response = send(&door, request("POST", "/v1/activities").header("x-request-id", "r1")).await;
    assert_eq!(response.status(), 409);
    assert_eq!(response.headers()["etag"], "\"1\"");
    let expected =
        r#"{ "type":"/problems/x", "status":409, "extra":[1, 2.50] ,"instance":"urn:daybook:request:r1"}"#;
    assert_eq!(text(response).await, expected);
}

#[tokio::test]
async fn a_retry_after_of_a_service_goes_along() {
    let door = before(Router::new().fallback(|| async { Problem::unavailable("log-unavailable", 7) }));
    let response = send(&door, request("POST", "/v1/activities")).await;
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(problem(response).await.1["type"], "/problems/log-unavailable");
}

#[tokio::test]
async fn every_error_becomes_a_problem() {
    let wordless = |status: StatusCode| {
        before(Router::new().fallback(move || async move { (status, [("allow", "GET")]) }))
    };
    let response = send(&wordless(StatusCode::METHOD_NOT_ALLOWED), request("GET", "/v1/history")).await;
    assert_eq!(response.headers()["allow"], "GET");
    assert_eq!(problem(response).await.1["type"], "/problems/method-not-allowed");

    let words = |status| before(Router::new().fallback(move || async move { (status, "Failed to read: x") }));
    let response = send(&words(StatusCode::BAD_REQUEST), request("GET", "/v1/history")).await;
    assert_eq!(problem(response).await.1["detail"], "Failed to read: x");
    let response = send(&words(StatusCode::BAD_GATEWAY), request("GET", "/v1/history")).await;
    assert_eq!(problem(response).await.1.get("detail"), None);
}

#[tokio::test]
async fn a_problem_too_large_to_read_passes_as_it_is() {
    let large = json!({"type": "/problems/x", "detail": "x".repeat(70_000)}).to_string();
    let sent = large.clone();
    let refuse =
        move || async move { (StatusCode::CONFLICT, [("content-type", "application/problem+json")], sent) };
    assert_eq!(
        text(send(&before(Router::new().fallback(refuse)), request("GET", "/v1/history")).await).await,
        large
    );
}

#[tokio::test]
async fn a_full_door_says_so_until_an_answer_has_gone() {
    let service = Router::new().fallback(|request: Request| async { Response::new(request.into_body()) });
    let limits = Limits { requests_max: 1, ..Limits::default() };
    let door = door(Config { activities: Upstream::Local(service), limits, ..config() });
    let first = send(&door, request("GET", "/v1/history")).await;
    let response = send(&door, request("GET", "/v1/history")).await;
    assert_eq!(response.headers()["retry-after"], "1");
    let (status, problem) = problem(response).await;
    assert_eq!((status.as_u16(), &problem["type"]), (503, &"/problems/overloaded".into()));
    drop(first);
    assert_eq!(send(&door, request("GET", "/v1/history")).await.status(), 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_the_clients_fault() {
    let service = super::listening(Router::new().fallback(|request: Request| async {
        request.into_body().collect().await.map_or_else(|_| StatusCode::BAD_REQUEST.into_response(), |_| ok())
    }));
    let door = door(Config { activities: service.await, ..config() });
    let frames = [Ok("first"), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures::stream::iter(frames));
    let response = door.oneshot(request("POST", "/v1/activities").body(body).unwrap()).await.unwrap();
    let (status, problem) = problem(response).await;
    assert_eq!((status.as_u16(), &problem["type"]), (400, &"/problems/unreadable-body".into()));
}

#[tokio::test]
async fn a_service_that_dies_in_the_middle_of_a_request_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.shutdown().await;
        }
    });
    let door = door(Config { activities: url.parse().unwrap(), ..config() });
    let response = send(&door, request("POST", "/v1/activities")).await;
    assert_eq!(problem(response).await.0, 503);
}
