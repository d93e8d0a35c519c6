//! API8: what was left open, said too much or was not said at all.

use reqwest::Method;
use serde_json::json;

use super::{narrow, raw, status};
use crate::support::{PASSWORD, send, shared};

#[tokio::test]
async fn answers_say_what_browsers_must_not_do() {
    let customer = shared().customer().await;
    for path in ["/v1/history", "/v1/session", "/v1/nothing", "/openapi.json"] {
        let answer = customer.api.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("server"), "", "{path} names its program");
        assert_eq!(answer.header("x-powered-by"), "", "{path}");
    }
    for path in ["/v1/history", "/v1/tokens", "/v1/members"] {
        let answer = customer.api.get(path).await;
        let kept = answer.header("cache-control");
        assert!(kept.contains("private") || kept.contains("no-store"), "{path}: {kept}");
    }
    let page = send(shared().anonymous().request(Method::GET, "/").header("accept", "text/html")).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "the dashboard in somebody's frame: {policy}");
}

#[tokio::test]
async fn another_site_is_not_let_in_by_the_browser() {
    let customer = shared().customer().await;
    let origin = "https://evil.example.com";
    for method in [Method::OPTIONS, Method::GET] {
        let request = customer.dashboard.request(method.clone(), "/v1/history").header("origin", origin);
        let answer = send(request.header("access-control-request-method", "GET")).await;
        for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
            assert_eq!(answer.header(name), "", "{method}");
        }
    }
    // A form can send a cookie along, but neither JSON nor the token against forgery.
    let form = customer.dashboard.request(Method::POST, "/v1/tokens").header("origin", origin);
    let answer =
        send(form.header("content-type", "text/plain").body(r#"{"name":"x","scopes":["admin"]}"#)).await;
    answer.problem(403, "csrf-token-missing");
}

#[tokio::test]
async fn a_cookie_is_for_https_alone_where_there_is_https() {
    let body = json!({"email": "nobody@example.com", "password": PASSWORD});
    assert_eq!(narrow().anonymous().post("/v1/session", &body).await.header("set-cookie"), "");
    let customer = narrow().customer().await;
    let body = json!({"email": customer.email, "password": PASSWORD});
    let cookie = narrow().anonymous().post("/v1/session", &body).await;
    let cookie = cookie.header("set-cookie");
    for part in ["HttpOnly", "Secure", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn an_error_tells_nothing_of_the_inside() {
    let customer = shared().customer().await;
    let quote = "%27%20OR%201=1--";
    let mut answers = Vec::new();
    for path in [
        format!("/v1/activities/{quote}"),
        format!("/v1/activities?type={quote}"),
        format!("/v1/activities?cursor={quote}"),
        format!("/v1/history?after={quote}"),
        format!("/v1/history/{quote}"),
        format!("/v1/reports/activity?group_by={quote}"),
        format!("/v1/reports/activity?time_zone={quote}"),
        format!("/v1/tokens/{quote}/history"),
        "/v1/activities/%00".to_owned(),
        "/v1/activities/%ff%fe".to_owned(),
        "/v1/activities?type=%ff".to_owned(),
    ] {
        answers.push((path.clone(), customer.api.get(&path).await));
    }
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        r#"{"type":"a","actor":"\u0000"}"#,
        r#"{"type":"a","actor":"\ud800"}"#,
    ] {
        let headers = [("content-type", "application/json")];
        answers.push((body.to_owned(), customer.api.post_raw("/v1/activities", &headers, body).await));
    }
    for (what, answer) in answers {
        assert!(answer.status < 500, "{what}: {}", answer.text);
        let text = answer.text.to_lowercase();
        for word in
            ["select ", "postgres", "sqlx", "panicked", ".rs:", "/home/", "stack trace", "127.0.0.1:5"]
        {
            assert!(!text.contains(word), "{what} says {word}: {text}");
        }
    }
}

#[tokio::test]
async fn files_and_methods_that_are_not_offered_are_not_there() {
    for path in [
        "/.env",
        "/.git/config",
        "/Cargo.toml",
        "/metrics",
        "/debug/pprof",
        "/assets/../../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
    ] {
        let answer =
            raw(&shared().url, &format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).await;
        assert!(matches!(status(&answer), 400 | 404), "{path}: {answer}");
    }
    for method in ["TRACE", "TRACK", "PROPFIND", "DEBUG"] {
        let request =
            format!("{method} /v1/history HTTP/1.1\r\nhost: a\r\ncookie: a=b\r\nconnection: close\r\n\r\n");
        let answer = raw(&shared().url, &request).await;
        assert!(matches!(status(&answer), 400 | 405 | 501), "{method}: {answer}");
        assert!(!answer.contains("a=b"), "{method} sends back what came: {answer}");
    }
}

#[tokio::test]
async fn a_request_within_a_request_is_not_taken_for_one() {
    let customer = shared().customer().await;
    // Two lengths, and a length beside chunks: what one reader takes for a body is a request to another.
    for framing in [
        "content-length: 4\r\ncontent-length: 44\r\n",
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding: xchunked\r\n",
    ] {
        let request = format!(
            "POST /v1/activities HTTP/1.1\r\nhost: a\r\n{framing}content-type: application/json\r\n\
             authorization: Bearer {0}\r\n\r\n5c\r\n\
             GET /v1/history HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {0}\r\nconnection: close\r\n\r\n0\r\n\r\n",
            customer.token
        );
        let answer =
            tokio::time::timeout(std::time::Duration::from_secs(20), raw(&shared().url, &request)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{framing}: the connection stays open"));
        assert!(!answer.contains(r#""items""#), "{framing}: the inner request was answered: {answer}");
    }
}
