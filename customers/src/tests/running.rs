use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chassis::StartError;
use scratch_database::ScratchDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::house::config;
use crate::Config;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_serves_until_it_is_told_to_stop() {
    let database = ScratchDatabase::empty().await;
    let listener = chassis::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(crate::run(config(&database), listener, shutdown.clone()));

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: customers\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-request-id: "), "{answer}");

    shutdown.cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(10), running).await;
    stopped.expect("the tasks must end").unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_its_database_says_so() {
    let database = ScratchDatabase::empty().await;
    let options = config(&database).database.port(1);
    let unreachable =
        crate::start(Config { database: options, ..config(&database) }, CancellationToken::new()).await;
    assert!(matches!(unreachable, Err(StartError::Unreachable { .. })));
    let unmigrated =
        crate::start(Config { migrate: false, ..config(&database) }, CancellationToken::new()).await;
    let Err(error @ StartError::Unusable(_)) = unmigrated else { panic!("it started without its tables") };
    assert!(error.to_string().contains("daybook migrate"), "{error}");
}
