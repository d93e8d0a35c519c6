use std::time::Instant;

use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::*;

const QUICK: Limits = Limits {
    head: Duration::from_millis(300),
    idle: Duration::from_secs(75),
    write: Duration::from_millis(500),
};
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(20);

/// A body without an end, and a channel that closes when it is given up.
fn endless() -> (Body, mpsc::Receiver<()>) {
    let (held, given_up) = mpsc::channel::<()>(1);
    let parts = futures::stream::repeat_with(move || {
        let _held = &held;
        Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 64 * 1024]))
    });
    (Body::from_stream(parts), given_up)
}

/// Gives a body to the first who asks.
fn giving(body: Body) -> Router {
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let give = move || {
        let body = body.lock().unwrap().take().unwrap();
        async { body }
    };
    Router::new().route("/", get(give))
}

async fn serving(limits: Limits, connections_max: usize) -> SocketAddr {
    let router = Router::new().route("/", get(|| async { "here" }));
    serving_router(limits, connections_max, router).await
}

async fn serving_router(limits: Limits, connections_max: usize, router: Router) -> SocketAddr {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_within(limits, connections_max, listener, None, router, CancellationToken::new()));
    address
}

/// How long the server keeps a connection on which these bytes and no others are sent.
async fn kept(address: SocketAddr, sent: &[u8]) -> Duration {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(sent).await.unwrap();
    let began = Instant::now();
    let mut all = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, client.read_to_end(&mut all)).await;
    assert!(ended.is_ok(), "{:?} is kept for ever", String::from_utf8_lossy(sent));
    began.elapsed()
}

async fn ask(client: &mut TcpStream, request: &[u8]) -> String {
    client.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        let read = client.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_connection_that_never_sends_a_whole_head_is_closed() {
    let address = serving(QUICK, 100).await;
    let settings = [PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    for sent in [&b""[..], b"G", b"GET / HTTP/1.1\r\nhost: x\r\n", &PREFACE[..10], PREFACE, &settings] {
        let kept = kept(address, sent).await;
        assert!(kept < PATIENCE / 2, "{:?} was kept for {kept:?}", String::from_utf8_lossy(sent));
    }
}

#[tokio::test]
async fn half_a_head_on_a_connection_that_was_used_is_closed_too() {
    let address = serving(QUICK, 100).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    ask(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // Idle for longer than a head may take, and then still there.
    tokio::time::sleep(QUICK.head * 2).await;
    ask(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    client.write_all(b"GET / HT").await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, client.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "half a head is waited for until its connection is too old");
}

#[tokio::test]
async fn an_idle_connection_is_closed_only_after_what_it_was_told() {
    let address = serving(LIMITS, 100).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let answer = ask(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.contains("\r\nconnection: keep-alive\r\nkeep-alive: timeout=75\r\n"), "{answer}");
    let mut client = TcpStream::connect(address).await.unwrap();
    let answer = ask(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\nConnection: Close\r\n\r\n").await;
    assert!(!answer.contains("keep-alive") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);

    // The end comes within a margin after what was said.
    let idle = Limits { idle: Duration::from_secs(1), ..QUICK };
    let address = serving(idle, 100).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    ask(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let began = Instant::now();
    let ended = tokio::time::timeout(PATIENCE, client.read(&mut [0])).await;
    assert_eq!(ended.expect("the connection is kept for ever").unwrap(), 0, "a graceful end");
    assert!(began.elapsed() > idle.idle, "closed after {:?}", began.elapsed());
}

#[tokio::test]
async fn connections_that_only_wait_shut_nobody_out() {
    let patient = Limits { head: PATIENCE * 10, ..LIMITS };
    let address = serving(patient, 3).await;
    let mut used = TcpStream::connect(address).await.unwrap();
    ask(&mut used, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    for _ in 0..4 {
        let mut client = TcpStream::connect(address).await.unwrap();
        let asking = ask(&mut client, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        tokio::time::timeout(PATIENCE, asking).await.expect("shut out by connections that only wait");
    }
    // Those that have never asked go first.
    ask(&mut used, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
}

#[tokio::test]
async fn a_reader_that_stops_reading_is_given_up() {
    let (body, mut given_up) = endless();
    let address = serving_router(QUICK, 100, giving(body)).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    client.read_exact(&mut vec![0; 100_000]).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, given_up.recv()).await;
    assert!(ended.is_ok(), "the answer is held for a reader who has stopped");
}

#[tokio::test]
async fn a_reader_that_stops_reading_one_of_several_answers_is_given_up() {
    let (body, mut given_up) = endless();
    let address = serving_router(QUICK, 100, giving(body)).await;
    let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut requests, connection) =
        hyper::client::conn::http2::handshake::<_, _, Body>(executor, stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("http://{address}/")).body(Body::empty()).unwrap();
    // Held, and never read.
    let answer = requests.send_request(request).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, given_up.recv()).await;
    assert!(ended.is_ok(), "the answer is held for a reader who has stopped");
    drop(answer);
}

#[tokio::test]
async fn a_slow_service_and_a_slow_body_are_not_waits_for_the_client() {
    let slow = async || {
        tokio::time::sleep(QUICK.write * 3).await;
        let parts = futures::stream::once(async {
            tokio::time::sleep(QUICK.write * 3).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"here"))
        });
        Body::from_stream(parts)
    };
    let address = serving_router(QUICK, 100, Router::new().route("/", get(slow))).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("here"), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_ends_with_the_server_and_a_request_is_answered_first() {
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "here"
    };
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, Router::new().route("/", get(slow)), shutdown.clone()));
    let mut idle = TcpStream::connect(address).await.unwrap();
    ask(&mut idle, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut asking = TcpStream::connect(address).await.unwrap();
    asking.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    shutdown.cancel();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    tokio::time::timeout(PATIENCE, server).await.unwrap().unwrap();
}
