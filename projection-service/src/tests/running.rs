use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chassis::StartError;
use scratch_database::ScratchDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::house::House;
use crate::Config;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_serves_until_it_is_told_to_stop() {
    let house = House::empty().await;
    let listener = chassis::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(crate::run(house.config(20), listener, shutdown.clone()));

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: reports\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-request-id: "), "{answer}");

    shutdown.cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(10), running).await;
    stopped.expect("the tasks must end").unwrap().unwrap();
}

async fn refused(config: Config) -> StartError {
    match crate::start(config, CancellationToken::new()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_what_it_needs_says_so() {
    let house = House::empty().await;
    let config = house.config(20);
    let nowhere = config.database.clone().port(1);
    for (config, named) in [
        (Config { database: nowhere.clone(), ..config.clone() }, "DAYBOOK_REPORTS_DATABASE_URL"),
        (Config { activities_database: nowhere, ..config.clone() }, "DAYBOOK_ACTIVITIES_DATABASE_URL"),
    ] {
        let error = refused(config).await;
        assert!(
            matches!(error, StartError::Unreachable { .. }) && error.to_string().contains(named),
            "{error}"
        );
    }
    let empty = ScratchDatabase::empty().await;
    let unmigrated = refused(Config { database: empty.options(), migrate: false, ..config.clone() }).await;
    assert!(unmigrated.to_string().contains("daybook migrate"), "{unmigrated}");
    let no_log = refused(Config { activities_database: empty.options(), ..config }).await;
    assert!(no_log.to_string().contains("start activities first"), "{no_log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_told_from_a_broken_one() {
    let house = House::empty().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'to come', true, '', 0)",
    )
    .execute(house.pool())
    .await
    .unwrap();
    let newer = refused(house.config(20)).await;
    assert!(newer.to_string().contains("a newer version of Daybook has changed it"), "{newer}");
}
