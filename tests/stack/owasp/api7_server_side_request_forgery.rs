//! API7: the system is made to ask somebody for something. Nothing in the API takes an address to fetch from; what is
//! left are the addresses that are part of HTTP itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{raw, status};
use crate::support::shared;

/// A server that nobody should ask, and how often it was.
async fn bait() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, asked)
}

#[tokio::test]
async fn an_address_in_a_request_is_not_gone_to() {
    let customer = shared().customer().await;
    let (bait, asked) = bait().await;
    let bearer = format!("authorization: Bearer {}\r\nconnection: close\r\n\r\n", customer.token);
    for head in [
        format!("GET http://{bait}/v1/history HTTP/1.1\r\nhost: {bait}\r\n"),
        format!("GET http://{bait}/latest/meta-data HTTP/1.1\r\nhost: {bait}\r\n"),
        format!("CONNECT {bait} HTTP/1.1\r\nhost: {bait}\r\n"),
        format!("GET //{bait}/ HTTP/1.1\r\nhost: daybook\r\n"),
        format!("GET /v1/history HTTP/1.1\r\nhost: {bait}\r\nx-forwarded-host: {bait}\r\n"),
        format!("GET /v1/history HTTP/1.1\r\nhost: a\r\nforwarded: host={bait};proto=http\r\n"),
        format!("GET /v1/history HTTP/1.1\r\nhost: a\r\nx-daybook-upstream: http://{bait}\r\n"),
        format!("GET /v1/reports/http:%2f%2f{bait}%2f HTTP/1.1\r\nhost: a\r\n"),
    ] {
        let answer = raw(&shared().url, &format!("{head}{bearer}")).await;
        assert!(answer.is_empty() || status(&answer) < 500, "{head}: {answer}");
    }
    // Content is content, whatever it looks like.
    let url = format!("http://{bait}/");
    let activity = json!({
        "type": "page.viewed", "actor": url, "properties": {"page": url, "xml": format!("<!DOCTYPE a SYSTEM '{url}'>")},
        "context": {"callback": url, "$ref": url},
    });
    customer.api.record(&activity).await;
    customer.api.get("/v1/activities").await.json(200);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "somebody came");
}

#[tokio::test]
async fn a_link_leads_to_where_the_operator_said() {
    let customer = shared().customer().await;
    let body = json!({"email": format!("{}@example.com", Uuid::now_v7()), "role": "analyst"}).to_string();
    let request = format!(
        "POST /v1/members HTTP/1.1\r\nhost: evil.example.com\r\nx-forwarded-host: evil.example.com\r\n\
         origin: https://evil.example.com\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        customer.token,
        body.len()
    );
    let answer = raw(&shared().url, &request).await;
    assert_eq!(status(&answer), 201, "{answer}");
    assert!(!answer.contains("evil"), "{answer}");
    assert!(answer.contains(&format!("{}/join#token=", shared().url)), "{answer}");
}
