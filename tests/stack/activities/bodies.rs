use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, shared};

const JSON: (&str, &str) = ("content-type", "application/json");
const MEBIBYTE: usize = 1024 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Hundreds of mebibytes of spaces in less than one, made of many frames.
fn bomb(encode: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let bomb = encode(&vec![b' '; 16 * MEBIBYTE]).repeat(48);
    assert!(bomb.len() < MEBIBYTE, "it would be refused for its own size");
    bomb
}

/// An activity whose JSON has exactly so many bytes.
fn of_size(bytes: usize) -> String {
    let start = r#"{"type":"page.viewed","actor":"ada"}"#;
    format!("{start}{}", " ".repeat(bytes - start.len()))
}

#[tokio::test]
async fn a_compressed_body_is_understood() {
    let customer = shared().customer().await;
    let body = json!({"type": "page.viewed", "actor": "ada"}).to_string();
    for (encoding, bytes) in
        [("gzip", gzip(body.as_bytes())), ("zstd", zstd(body.as_bytes())), ("identity", body.clone().into())]
    {
        let headers = [JSON, ("content-encoding", encoding)];
        customer.api.post_raw("/v1/activities", &headers, bytes).await.json(202);
    }
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_taken_and_one_byte_more_is_not() {
    let customer = shared().customer().await;
    customer.api.post_raw("/v1/activities", &[JSON], of_size(MEBIBYTE)).await.json(202);
    let answer = customer.api.post_raw("/v1/activities", &[JSON], of_size(MEBIBYTE + 1)).await;
    answer.problem(413, "body-too-large");
    // More than the connection buffers, and less than the gateway reads on so that the response can be sent.
    let answer = customer.api.post_raw("/v1/activities", &[JSON], of_size(12 * MEBIBYTE)).await;
    answer.problem(413, "body-too-large");
}

#[tokio::test]
async fn a_batch_may_have_eight_mebibytes() {
    let customer = shared().customer().await;
    let batch = |bytes: usize| {
        let batch = r#"{"activities":[{"type":"page.viewed","actor":"ada"}]}"#;
        format!("{batch}{}", " ".repeat(bytes - batch.len()))
    };
    customer.api.post_raw("/v1/activities/batch", &[JSON], batch(8 * MEBIBYTE)).await.json(202);
    let answer = customer.api.post_raw("/v1/activities/batch", &[JSON], batch(8 * MEBIBYTE + 1)).await;
    answer.problem(413, "body-too-large");
}

#[tokio::test]
async fn a_bomb_is_refused_without_being_inflated() {
    let customer = shared().customer().await;
    for (encoding, bomb) in [("gzip", bomb(gzip)), ("zstd", bomb(zstd))] {
        for path in ["/v1/activities", "/v1/activities/batch"] {
            let began = Instant::now();
            let headers = [JSON, ("content-encoding", encoding)];
            let answer = customer.api.post_raw(path, &headers, bomb.clone()).await;
            answer.problem(413, "body-too-large");
            assert!(began.elapsed() < Duration::from_secs(10), "{encoding}: all of it was inflated");
        }
    }
    assert!(resident_mebibytes() < 600, "the bombs are still in memory: {} MiB", resident_mebibytes());
}

/// The most memory that the stack has had.
fn resident_mebibytes() -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", shared().pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_refused() {
    let customer = shared().customer().await;
    let body = json!({"type": "page.viewed", "actor": "ada"}).to_string();
    for encoding in ["gzip", "zstd"] {
        let headers = [JSON, ("content-encoding", encoding)];
        let answer = customer.api.post_raw("/v1/activities", &headers, body.clone()).await;
        answer.problem(400, "unreadable-body");
    }
    // Cut off in the middle.
    let half = gzip(body.as_bytes());
    let headers = [JSON, ("content-encoding", "gzip")];
    let answer = customer.api.post_raw("/v1/activities", &headers, &half[..half.len() / 2]).await;
    answer.problem(400, "unreadable-body");
}

#[tokio::test]
async fn a_body_in_another_form_is_refused() {
    let customer = shared().customer().await;
    let body = json!({"type": "page.viewed", "actor": "ada"}).to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application"]
    {
        let answer =
            customer.api.post_raw("/v1/activities", &[("content-type", content_type)], body.clone()).await;
        assert_eq!(answer.status, 415, "{content_type}: {}", answer.text);
        answer.problem(415, "unsupported-media-type");
    }
    customer.api.post_raw("/v1/activities", &[], body.clone()).await.problem(415, "unsupported-media-type");
    let answer =
        customer.api.post_raw("/v1/activities", &[JSON, ("content-encoding", "br")], body.clone()).await;
    answer.problem(415, "unsupported-content-encoding");
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        customer
            .api
            .post_raw("/v1/activities", &[("content-type", content_type)], body.clone())
            .await
            .json(202);
    }
}

/// Sends a request by hand and returns the whole response.
async fn by_hand(token: &str, head: &str, body: &str) -> String {
    let address = shared().url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /v1/activities HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nconnection: close\r\n{head}\r\n{body}"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, connection.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let customer = shared().customer().await;
    let began = Instant::now();
    // 100 bytes are announced and a few come; the stack of the tests waits for 3 seconds.
    let answer = by_hand(&customer.token, "content-length: 100\r\n", r#"{"type":"#).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("/problems/body-too-slow"), "{answer}");
    assert!(began.elapsed() >= Duration::from_secs(3), "it was not waited for at all");
}

#[tokio::test]
async fn a_body_without_a_length_is_understood() {
    let customer = shared().customer().await;
    let body = r#"{"type":"page.viewed","actor":"ada"}"#;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let answer = by_hand(&customer.token, "transfer-encoding: chunked\r\n", &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
}
