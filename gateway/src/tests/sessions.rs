use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::Json;
use axum::routing::post;
use chassis::Upstream;
use serde_json::{Value, json};

use super::{Witness, bearer, config, door, problem, request, send};
use crate::Config;

/// A door behind which one session is open: cookie `good`, token `right`. Counts how often customers is asked.
fn with_session() -> (Router, Witness, Arc<AtomicUsize>) {
    let (witness, asked) = (Witness::default(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let resolve = move |headers: http::HeaderMap, Json(question): Json<Value>| {
        assert_eq!(headers["x-daybook-internal-key"], "0123456789abcdef");
        count.fetch_add(1, Ordering::SeqCst);
        let answer = match question["cookie"].as_str() {
            Some("good") => {
                json!({"principal": {"customer_id": "c1", "name": "Zoë"}, "csrf_ok": question["csrf"] == "right"})
            }
            _ => json!({"refused": true}),
        };
        async move { Json(answer) }
    };
    let customers =
        Router::new().route("/internal/sessions/resolve", post(resolve)).merge(witness.service("customers"));
    let [activities, reports] = ["activities", "reports"].map(|name| Upstream::Local(witness.service(name)));
    (door(Config { activities, reports, customers: Upstream::Local(customers), ..config() }), witness, asked)
}

#[tokio::test]
async fn a_cookie_becomes_a_principal() {
    let (door, witness, asked) = with_session();
    for _ in 0..3 {
        let response =
            send(&door, request("GET", "/v1/activities").header("cookie", "a=b; daybook_session=good")).await;
        assert_eq!(response.status(), 200);
    }
    let headers = witness.last().headers;
    let principal: Value = serde_json::from_str(headers["x-daybook-principal"].to_str().unwrap()).unwrap();
    assert_eq!(principal, json!({"customer_id": "c1", "name": "Zoë"}));
    assert_eq!(headers["x-daybook-internal-key"], "0123456789abcdef");
    assert!(!headers.contains_key("cookie"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_write_needs_the_csrf_token() {
    let (door, witness, asked) = with_session();
    let write = || request("POST", "/v1/tokens").header("cookie", "daybook_session=good");
    for request in [write(), write().header("x-csrf-token", "wrong"), write().header("x-csrf-token", "")] {
        let (status, problem) = problem(send(&door, request).await).await;
        assert_eq!((status.as_u16(), &problem["type"]), (403, &"/problems/csrf-token-missing".into()));
        assert!(problem["detail"].as_str().unwrap().contains("x-csrf-token"));
    }
    assert_eq!(witness.count(), 0);
    let before = asked.load(Ordering::SeqCst);
    for _ in 0..2 {
        let response = send(&door, write().header("x-csrf-token", "right")).await;
        assert_eq!(response.status(), 200);
    }
    assert!(witness.last().headers.contains_key("x-daybook-principal"));
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);
    // That the right token is known does not help one who does not.
    assert_eq!(send(&door, write().header("x-csrf-token", "wrong")).await.status(), 403);
}

#[tokio::test]
async fn an_ended_session_is_refused() {
    let (door, witness, asked) = with_session();
    for _ in 0..2 {
        let response =
            send(&door, request("POST", "/v1/activities").header("cookie", "daybook_session=old")).await;
        let (status, problem) = problem(response).await;
        assert_eq!((status.as_u16(), &problem["type"]), (401, &"/problems/session-expired".into()));
    }
    assert_eq!((witness.count(), asked.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn an_authorization_header_speaks_for_itself() {
    let (door, witness, asked) = with_session();
    let request = request("POST", "/v1/activities")
        .header("cookie", "daybook_session=good")
        .header("authorization", bearer(7));
    assert_eq!(send(&door, request).await.status(), 200);
    let headers = witness.last().headers;
    assert_eq!(headers["authorization"], bearer(7));
    assert!(!headers.contains_key("x-daybook-principal") && !headers.contains_key("cookie"));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn customers_sees_the_cookie_where_sessions_begin_and_end() {
    let (door, witness, asked) = with_session();
    for (method, path) in [("GET", "/v1/session"), ("POST", "/v1/session"), ("POST", "/v1/customers")] {
        let request =
            request(method, path).header("cookie", "daybook_session=good").header("x-csrf-token", "right");
        assert_eq!(send(&door, request).await.status(), 200);
        let headers = witness.last().headers;
        assert_eq!(headers["cookie"], "daybook_session=good");
        assert_eq!(headers["x-csrf-token"], "right");
        assert!(!headers.contains_key("x-daybook-principal"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_log_out_counts_at_once() {
    let (door, _, _) = with_session();
    let read = || request("GET", "/v1/activities").header("cookie", "daybook_session=good");
    assert_eq!(send(&door, read()).await.status(), 200);
    let log_out = request("DELETE", "/v1/session").header("cookie", "daybook_session=good");
    assert_eq!(send(&door, log_out).await.status(), 200);
    assert_eq!(send(&door, read()).await.status(), 401);
}

#[tokio::test]
async fn without_customers_a_session_is_unknown_and_not_refused() {
    let config = Config { customers: "http://127.0.0.1:1".parse().unwrap(), ..config() };
    let response =
        send(&door(config), request("GET", "/v1/activities").header("cookie", "daybook_session=good")).await;
    assert_eq!(response.headers()["retry-after"], "2");
    let (status, problem) = problem(response).await;
    assert_eq!((status.as_u16(), &problem["type"]), (503, &"/problems/service-unavailable".into()));
    assert_eq!(problem["detail"], "customers is not reachable; it comes back by itself.");
}

#[tokio::test]
async fn a_change_of_people_counts_at_once_for_every_session() {
    let (door, _, asked) = with_session();
    let read = || request("GET", "/v1/activities").header("cookie", "daybook_session=good");
    for _ in 0..2 {
        assert_eq!(send(&door, read()).await.status(), 200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let write = |method, path| request(method, path).header("authorization", bearer(7));
    for (n, (method, path)) in [
        ("DELETE", "/v1/members/1"),
        ("PATCH", "/v1/members/1"),
        ("DELETE", "/v1/sessions/1"),
        ("PATCH", "/v1/customers/self"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(send(&door, write(method, path)).await.status(), 200);
        assert_eq!(send(&door, read()).await.status(), 200);
        assert_eq!(asked.load(Ordering::SeqCst), n + 2, "{method} {path}");
    }
    assert_eq!(send(&door, request("GET", "/v1/members")).await.status(), 200);
    assert_eq!(send(&door, read()).await.status(), 200);
    assert_eq!(asked.load(Ordering::SeqCst), 5, "reading changes nothing");
}
