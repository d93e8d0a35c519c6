//! API4: more is asked of the system than it can give.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use super::{REQUESTS_PER_S, narrow, raw, status};
use crate::support::{send, shared};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_body_is_no_larger_than_it_may_be_however_it_is_packed() {
    // A gigabyte of spaces in one megabyte.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1_024 {
        bomb.write_all(&vec![b' '; MIB]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let customer = shared().customer().await;
    let json_type = ("content-type", "application/json");
    let large = format!(r#"{{"type":"a","actor":"b","id":"{}"}}"#, "x".repeat(MIB));
    customer.api.post_raw("/v1/activities", &[json_type], large).await.problem(413, "body-too-large");
    for path in ["/v1/activities", "/v1/activities/batch"] {
        let headers = [json_type, ("content-encoding", "gzip")];
        customer.api.post_raw(path, &headers, bomb.clone()).await.problem(413, "body-too-large");
    }
    // Nor does an unlimited number of layers help.
    let headers = [json_type, ("content-encoding", "gzip, gzip, gzip, gzip")];
    customer
        .api
        .post_raw("/v1/activities", &headers, bomb)
        .await
        .problem(415, "unsupported-content-encoding");
}

#[tokio::test]
async fn what_is_inside_a_body_has_limits_too() {
    let customer = shared().customer().await;
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    for depth in [9, 120] {
        let body = format!(r#"{{"type":"a","actor":"b","properties":{}}}"#, nested(depth));
        let answer =
            customer.api.post_raw("/v1/activities", &[("content-type", "application/json")], body).await;
        let pointers = answer.pointers();
        assert!(pointers.len() == 1 && pointers[0].starts_with("/properties"), "{depth}: {pointers:?}");
    }
    // A parser that calls itself for each level would have no stack left.
    let body = format!(r#"{{"type":"a","actor":"b","properties":{}}}"#, nested(100_000));
    let answer = customer.api.post_raw("/v1/activities", &[("content-type", "application/json")], body).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text);
    let many: Vec<Value> = (0..1_001).map(|_| json!({"type": "a", "actor": "b"})).collect();
    let answer = customer.api.post("/v1/activities/batch", &json!({"activities": many})).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    for actor in ["", &"x".repeat(257)] {
        let answer = customer.api.post("/v1/activities", &json!({"type": "a", "actor": actor})).await;
        assert_eq!(answer.pointers(), ["/actor"]);
    }
}

#[tokio::test]
async fn a_query_asks_for_no_more_than_a_page() {
    let customer = shared().customer().await;
    for path in ["/v1/activities", "/v1/history", "/v1/tokens", "/v1/members", "/v1/invitations"] {
        for limit in ["0", "-1", "1001", "99999999999999999999", "all"] {
            let answer = customer.api.get(&format!("{path}?limit={limit}")).await;
            assert!(matches!(answer.status, 400 | 422), "{path} {limit}: {}", answer.text);
        }
    }
    // Every minute of ten years would be five million buckets.
    let years = "from=2015-01-01T00:00:00Z&to=2025-01-01T00:00:00Z";
    let answer = customer.api.get(&format!("/v1/reports/activity?interval=minute&{years}")).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text);
}

#[tokio::test]
async fn a_head_of_a_request_is_no_larger_than_it_may_be() {
    let request = format!("GET /v1/history HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(MIB));
    let answer = raw(&shared().url, &request).await;
    assert!(answer.is_empty() || status(&answer) == 431, "{answer}");
    let many: Vec<String> = (0..1_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = many.concat();
    let request = format!("GET /v1/history HTTP/1.1\r\nhost: a\r\n{many}\r\n");
    let answer = raw(&shared().url, &request).await;
    assert!(answer.is_empty() || status(&answer) == 431, "{answer}");
    shared().customer().await.api.get("/v1/history").await.json(200);
}

#[tokio::test]
async fn a_token_makes_so_many_requests_a_second_and_no_more() {
    let customer = narrow().customer().await;
    let api = customer.with_scopes(&["read"]).await;
    let answers = futures::future::join_all((0..3 * REQUESTS_PER_S).map(|_| api.get("/v1/activities"))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty(), "all of {} requests were let in", answers.len());
    for answer in refused {
        answer.problem(429, "rate-limited");
        assert!(answer.header(RETRY_AFTER.as_str()).parse::<u64>().unwrap() >= 1);
        assert!(answer.header("ratelimit").contains("r=0"), "{:?}", answer.headers);
    }
    // Another token's requests are not used up.
    customer.with_scopes(&["read"]).await.get("/v1/activities").await.json(200);
    let answer = send(customer.api.request(Method::GET, "/v1/activities")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
