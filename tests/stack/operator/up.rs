//! `daybook up`: starting, stopping, and starting again.

use std::time::Duration;

use serde_json::Value;

use super::{settled, write};
use crate::support::{Program, Stack, command, eventually};

const READY_MAX: Duration = Duration::from_secs(10);

const STOP_MAX: Duration = Duration::from_secs(10);

#[tokio::test]
async fn it_stops_at_ctrl_c_finds_its_data_again_and_can_be_read_while_it_is_stopped() {
    let mut stack = Stack::start();
    let banner = stack.banner();
    for part in ["Daybook is ready", &stack.url, "owner@example.com", "curl "] {
        assert!(banner.contains(part), "{part} is not in:\n{banner}");
    }
    let customer = stack.customer().await;
    let written = write(&customer, 0, 50).await;
    let pasted = run_pasted(banner.lines().find(|line| line.starts_with("curl ")).unwrap());
    assert_eq!(pasted["duplicate"], false, "{pasted}");

    let (finished, took) = stack.interrupt().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    assert!(took < STOP_MAX, "it took {took:?} to stop");
    // On a stopped system, a command starts the database for as long as it needs it.
    let replayed = stack.operate(&["replay", "--customer", &customer.id]).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    assert_eq!(replayed.out.lines().count(), written);
    let migrated = stack.operate(&["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.err);

    let stack = stack.start_again();
    assert!(stack.took < READY_MAX, "a warm start took {:?}", stack.took);
    let api = stack.anonymous().with_token(&customer.token);
    assert_eq!(api.get("/v1/history").await.json(200)["items"].as_array().unwrap().len(), written);
    let login = |text: &str| text.lines().find(|line| line.starts_with("Password")).map(str::to_owned);
    assert_eq!(login(&stack.banner()), login(&banner), "the login is another one now");
}

/// Runs the line that was printed, as a shell does.
fn run_pasted(line: &str) -> Value {
    let output = std::process::Command::new("sh").args(["-c", line]).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{line}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test]
async fn a_second_one_on_the_same_data_is_refused_clearly() {
    let stack = Stack::start();
    let second = stack.operate(&["up", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]).await;
    assert_eq!(second.code, Some(3), "{}", second.err);
    assert!(second.err.contains(&stack.pid().to_string()), "it does not say who is there: {}", second.err);
    let api = stack.anonymous();
    assert_eq!(api.get("/readyz").await.status, 200, "the first one was disturbed");
}

#[tokio::test]
async fn a_taken_port_is_said_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = command(dir.path());
    command.args(["up", "--data-dir", "data", "--listen", &address]);
    let finished = Program::start(&mut command, dir.path(), "up").finished().await;
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    assert!(finished.err.contains(&address) && finished.err.contains("--listen"), "{}", finished.err);
    assert!(!dir.path().join("data").exists(), "it left something behind");
}

#[tokio::test]
async fn a_server_that_exists_is_used_instead_of_an_embedded_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut postgres = command(dir.path());
    postgres.args(["postgres", "--data-dir", "data", "--port", "0", "--url-file", "url"]);
    let postgres = Program::start(&mut postgres, dir.path(), "postgres");
    let url = eventually("the server says where it is", || async {
        std::fs::read_to_string(dir.path().join("url")).ok().map(|url| url.trim().to_owned())
    })
    .await;
    let stack = Stack::start_with(&["--database-url", &url], &[]);
    assert!(!stack.data_dir().join("postgres").exists(), "it made a database of its own");
    let customer = stack.customer().await;
    let written = write(&customer, 0, 20).await;
    let status = settled(&stack).await;
    let [events] = ["activities"].map(|name| {
        let logs = status["logs"].as_array().unwrap();
        logs.iter().find(|log| log["name"] == name).unwrap()["events"].as_u64().unwrap()
    });
    assert_eq!(events, written as u64);
    drop(stack);
    let (finished, _) = postgres.interrupt().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
}
