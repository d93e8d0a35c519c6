//! API10: what others say is believed. The gateway and the write side ask customers who is calling; here somebody who has
//! taken its place answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Api, PASSWORD, Program, command, eventually, send, shared};

/// Sends the same bytes for every request, and records its address and its requests.
async fn impostor(answer: Vec<u8>, keep_open: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, heard) = (answer.clone(), Arc::clone(&heard));
            tokio::spawn(async move {
                let mut question = vec![0; 16 * 1024];
                let read = stream.read(&mut question).await.unwrap_or(0);
                heard.lock().unwrap().push(String::from_utf8_lossy(&question[..read]).into_owned());
                let _ = stream.write_all(&answer).await;
                if keep_open {
                    // Never the end of the answer.
                    tokio::time::sleep(Duration::from_mins(5)).await;
                }
            });
        }
    });
    (url, asked)
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}")
        .into_bytes()
}

/// A gateway, as in production, that takes `customers` for customers.
async fn gateway(customers: &str, dir: &TempDir) -> (Program, Api) {
    let mut command = command(dir.path());
    command.args(["serve", "gateway"]);
    command.env("DAYBOOK_PUBLIC_URL", &shared().url);
    command.env("DAYBOOK_INTERNAL_KEY", "only-for-the-tests-0123456789abcdef");
    command.env("DAYBOOK_GATEWAY_LISTEN", "127.0.0.1:0").env("DAYBOOK_GATEWAY_METRICS_LISTEN", "127.0.0.1:0");
    command.env("DAYBOOK_CUSTOMERS_URL", customers).env("DAYBOOK_ACTIVITIES_URL", customers);
    command.env("DAYBOOK_REPORTS_URL", customers).env("DAYBOOK_GATEWAY_ANSWER_TIMEOUT_S", "2");
    let mut program = Program::start(&mut command, dir.path(), "gateway");
    let url = eventually("the gateway says where it is", || {
        assert!(program.ended().is_none(), "the gateway ended: {}", program.err());
        let out = program.out();
        async move { out.lines().find_map(|line| line.strip_prefix("URL ")).map(|url| url.trim().to_owned()) }
    });
    let url = url.await;
    (program, Api::new(&url))
}

#[tokio::test]
async fn nonsense_about_a_session_lets_nobody_in() {
    // What could be a session of this instance, which is named after the address that people know.
    let body = json!({"email": shared().customer().await.email, "password": PASSWORD});
    let logged_in = shared().anonymous().post("/v1/session", &body).await;
    let name = logged_in.header("set-cookie").split('=').next().unwrap().to_owned();
    let (bait, followed) = impostor(http("200 OK", "", "{}"), false).await;
    let redirect = http("302 Found", &format!("location: {bait}/internal/sessions/resolve\r\n"), "");
    let header = json!({"principal": "a\r\nx-daybook-internal-key: b", "refused": false}).to_string();
    let flood = [http("200 OK", "", "").as_slice(), &vec![b'['; 4 * 1024 * 1024]].concat();
    let flood = String::from_utf8(flood).unwrap().replace("content-length: 0", "content-length: 4194304");
    let answers = [
        ("not HTTP", b"220 smtp.example.com ESMTP\r\n".to_vec(), false),
        ("no JSON", http("200 OK", "", "<html>"), false),
        ("of another shape", http("200 OK", "", r#"{"principal":null,"refused":"no"}"#), false),
        ("nobody", http("200 OK", "", r#"{"principal":null,"refused":false}"#), false),
        ("a header in a header", http("200 OK", "", &header), false),
        ("a redirect", redirect, false),
        ("an error", http("500 Internal Server Error", "", "boom"), false),
        ("too much", flood.into_bytes(), false),
        ("never an end", b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{".to_vec(), true),
        ("nothing", Vec::new(), true),
    ];
    for (what, answer, keep_open) in answers {
        let (url, asked) = impostor(answer, keep_open).await;
        let dir = tempfile::tempdir().unwrap();
        let (_program, api) = gateway(&url, &dir).await;
        let cookie = format!("{name}={}", "0".repeat(43));
        let request = api.request(reqwest::Method::GET, "/v1/history").header("cookie", cookie);
        let began = Instant::now();
        let refused = send(request).await;
        assert!(
            matches!(refused.status, 401 | 500 | 502 | 503 | 504),
            "{what}: {} {}",
            refused.status,
            refused.text
        );
        assert!(refused.text.contains("/problems/"), "{what}: {}", refused.text);
        assert!(!refused.text.contains("boom") && !refused.text.contains("html"), "{what}: {}", refused.text);
        assert!(began.elapsed() < Duration::from_secs(15), "{what}: it waited {:?}", began.elapsed());
        // The request itself went nowhere.
        let asked = asked.lock().unwrap();
        assert!(asked.iter().all(|head| head.starts_with("POST /internal/")), "{what}: {asked:?}");
    }
    assert!(followed.lock().unwrap().is_empty(), "a redirect was followed, with the key that services share");
}

#[tokio::test]
async fn an_answer_of_a_service_brings_no_headers_that_are_not_its_own() {
    let headers = "x-daybook-principal: {}\r\nx-daybook-internal-key: secret\r\nkeep-alive: timeout=99\r\n\
                   content-type: application/json\r\n";
    let (url, _) = impostor(http("200 OK", headers, "{}"), false).await;
    let dir = tempfile::tempdir().unwrap();
    let (_program, api) = gateway(&url, &dir).await;
    let answer = api.get("/v1/session").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for name in ["x-daybook-principal", "x-daybook-internal-key"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    assert_ne!(answer.header("keep-alive"), "timeout=99", "it is the gateway's own");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn what_a_client_says_of_its_request_stays_within_bounds() {
    let customer = shared().customer().await;
    for (name, value) in [
        ("traceparent", "00-zzzz-zzzz-01".to_owned()),
        ("traceparent", "x".repeat(4_000)),
        ("tracestate", "a=b,".repeat(500)),
        ("x-request-id", "../../etc/passwd\u{e9}".to_owned()),
        ("x-request-id", "x".repeat(4_000)),
        ("if-match", "\"9999999999999999999999\"".to_owned()),
        ("if-none-match", "\"".repeat(100)),
        ("accept-encoding", "bomb;q=9".to_owned()),
        ("range", "bytes=0-1,2-3,4-5".to_owned()),
    ] {
        let request = customer.api.request(reqwest::Method::GET, "/v1/history");
        let answer =
            send(request.header(name, reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap()))
                .await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        assert!(answer.header("x-request-id").len() <= 200, "{name}");
    }
}
