//! What an operator does: starts, stops, looks, replays and rebuilds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Customer, Program, Stack, command, eventually};

const READY_MAX: Duration = Duration::from_secs(10);
const STOP_MAX: Duration = Duration::from_secs(10);

/// Records so many activities, some of them corrected or redacted; answers how many events that is.
async fn write(customer: &Customer, start: usize, count: usize) -> usize {
    let activities: Vec<Value> = (start..start + count)
        .map(|n| json!({"id": format!("n-{n}"), "type": format!("type.{}", n % 3), "actor": format!("actor-{}", n % 9)}))
        .collect();
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    assert_eq!(answer["accepted"], count, "{answer}");
    customer
        .api
        .patch(&format!("/v1/activities/n-{start}"), &json!({"type": "type.corrected"}))
        .await
        .json(200);
    assert_eq!(customer.api.delete(&format!("/v1/activities/n-{}", start + 1)).await.status, 204);
    count + 2
}

/// A status in which nothing waits.
async fn settled(stack: &Stack) -> Value {
    eventually("everything is folded", || async {
        let finished = stack.operate(&["status", "--json"]).await;
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        let status: Value = serde_json::from_str(&finished.out).unwrap();
        let projections = status["projections"].as_array().unwrap();
        projections.iter().all(|projection| projection["lag"] == 0).then_some(status)
    })
    .await
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn status_accounts_for_every_event() {
    let stack = Stack::start();
    let mut written = 0;
    for _ in 0..3 {
        written += write(&stack.customer().await, 0, 100).await;
    }
    let status = settled(&stack).await;
    assert_eq!(status["healthy"], true, "{status}");
    let log = status["logs"].as_array().unwrap().iter().find(|log| log["name"] == "activities").unwrap();
    assert_eq!((&log["events"], &log["unpublished"]), (&json!(written), &json!(0)), "{log}");
    assert_eq!(log["partitions"].as_array().unwrap().len(), 16);
    let names: Vec<_> = status["projections"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [&json!("activities")]);
    for projection in status["projections"].as_array().unwrap() {
        let [appended, folded, dead] =
            ["appended", "folded", "dead_lettered"].map(|key| projection[key].as_u64().unwrap());
        assert_eq!((appended, dead), (written as u64, 0), "{projection}");
        assert_eq!(folded + dead, appended, "{projection}");
        assert_eq!(projection["accounted_for"], true, "{projection}");
    }
    let table = stack.operate(&["status"]).await;
    assert_eq!(table.code, Some(0));
    assert!(table.out.contains("Everything is accounted for."), "{}", table.out);
}

#[tokio::test]
async fn status_shows_the_one_delayed_job_that_a_burst_becomes() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "3600000")]);
    let customer = stack.customer().await;
    write(&customer, 0, 100).await;
    let status = eventually("a job is there", || async {
        let finished = stack.operate(&["status", "--json"]).await;
        let status: Value = serde_json::from_str(&finished.out).unwrap();
        (!status["jobs"].as_array().unwrap().is_empty()).then_some(status)
    })
    .await;
    assert_eq!(status["jobs"].as_array().unwrap().len(), 1, "{status}");
    let job = &status["jobs"][0];
    assert_eq!((&job["attempts"], &job["last_error"]), (&json!(0), &Value::Null), "{job}");
    let due: chrono::DateTime<chrono::Utc> = job["run_at"].as_str().unwrap().parse().unwrap();
    assert!(due > chrono::Utc::now() + Duration::from_mins(50), "{job}");
    let seen = customer.api.get("/v1/projections").await.json(200);
    assert_eq!((&seen["partition"], &seen["job"]["run_at"]), (&job["partition"], &job["run_at"]), "{seen}");
    let table = stack.operate(&["status"]).await.out;
    assert!(table.contains("JOB OF"), "{table}");
}

#[tokio::test]
async fn a_replay_is_complete_and_in_order() {
    let stack = Stack::start();
    let (one, other) = (stack.customer().await, stack.customer().await);
    let written = write(&one, 0, 700).await + write(&other, 0, 500).await;
    write(&one, 700, 10).await;
    // A client that may only ingest writes what looks like a line, or a row, of its own.
    let forged = "{\"id\":\"=1+1\",\"type\":\"a\",\"actor\":\"b\u{2028}\",\"properties\":{\"x\":\r\n\
        {\"partition\":0,\"position\":1,\"event_type\":\"ActivityRecorded\"}\n}}";
    one.api.post_raw("/v1/activities", &[("content-type", "application/json")], forged).await.json(202);

    let whole = lines(&stack.operate(&["replay", "--format", "ndjson"]).await.out);
    assert_eq!(whole.len(), written + 13);
    let order = |event: &Value| {
        let time: chrono::DateTime<chrono::Utc> = event["recorded_at"].as_str().unwrap().parse().unwrap();
        (time, event["partition"].as_u64().unwrap(), event["position"].as_u64().unwrap())
    };
    assert!(whole.iter().map(order).is_sorted_by(|a, b| a < b), "the whole log is not in order");
    let mut partitions: BTreeMap<u64, u64> = BTreeMap::new();
    for event in &whole {
        let last = partitions.entry(event["partition"].as_u64().unwrap()).or_default();
        *last += 1;
        assert_eq!(event["position"], *last, "a partition has a hole");
    }

    let of_one = lines(&stack.operate(&["replay", "--customer", &one.id]).await.out);
    assert_eq!(of_one.len(), 715);
    let history = one.api.get("/v1/history?limit=1000").await.json(200);
    assert_eq!(json!(of_one), history["items"], "replay and history tell two stories");
    let (from, to) = (of_one[10]["position"].to_string(), of_one[20]["position"].to_string());
    let part = stack.operate(&["replay", "--customer", &one.id, "--from", &from, "--to", &to]).await;
    assert_eq!(lines(&part.out), of_one[10..=20]);
    let by_actor =
        lines(&stack.operate(&["replay", "--customer", &other.id, "--actor", "actor-4"]).await.out);
    assert_eq!(by_actor.len(), (0..500).filter(|n| n % 9 == 4).count());

    let csv = stack.operate(&["replay", "--format", "csv"]).await;
    assert_eq!(csv.out.lines().count(), whole.len() + 1, "a heading and a line for each event");
    assert!(csv.out.contains(",'=1+1,"), "no cell is a formula");
    let table = stack.operate(&["replay", "--format", "table"]).await.out;
    assert_eq!(table.lines().count(), whole.len() + 1, "a heading and a row for each event");
    assert!(!table.contains('\u{2028}'));
    let customers = lines(&stack.operate(&["replay", "--log", "customers"]).await.out);
    let signed_up = customers.iter().filter(|event| event["event_type"] == "CustomerSignedUp").count();
    assert_eq!(signed_up, 3, "the first customer, and two of this test");
    let wrong = stack.operate(&["replay", "--from", "3"]).await;
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
}

#[tokio::test]
async fn a_rebuild_beside_writers_and_readers_is_what_was_live() {
    let stack = Stack::start();
    let customer = stack.customer().await;
    let mut written = write(&customer, 0, 900).await;
    let before = settled(&stack).await;

    let rebuild = stack.operate(&["rebuild", "--verify"]);
    let mut rebuild = std::pin::pin!(rebuild);
    let mut start = 900;
    let finished = loop {
        tokio::select! {
            finished = &mut rebuild => break finished,
            events = write(&customer, start, 20) => {
                (written, start) = (written + events, start + 20);
                // Nobody notices: the report is there all the while.
                customer.api.get("/v1/reports/activity?interval=day&group_by=type").await.json(200);
            }
        }
    };
    assert_eq!(finished.code, Some(0), "{}\n{}", finished.out, finished.err);
    assert!(finished.out.contains("equal to what was live"), "{}", finished.out);

    // The last batch may have been cut short by the end of the rebuild.
    let history =
        customer.api.request(reqwest::Method::GET, "/v1/history").header("accept", "application/x-ndjson");
    let events = crate::support::send(history).await.text.lines().count();
    assert!(events >= written, "{events} < {written}");
    let after = settled(&stack).await;
    for (before, after) in
        before["projections"].as_array().unwrap().iter().zip(after["projections"].as_array().unwrap())
    {
        assert!(after["generation"].as_i64() > before["generation"].as_i64(), "{after}");
        assert_eq!(after["folded"].as_u64().unwrap(), events as u64, "{after}");
    }
    let again = stack.operate(&["rebuild", "--verify", "--parallel", "2", "--max-load", "1000"]).await;
    assert_eq!(again.code, Some(0), "{}", again.err);
    let back = stack.operate(&["rebuild", "--rollback"]).await;
    assert_eq!(back.code, Some(0), "{}", back.err);
    assert!(back.out.contains("is live again"), "{}", back.out);
}

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

#[tokio::test]
async fn a_command_without_a_system_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["status", "--data-dir", "none"][..], &["replay"], &["rebuild"], &["migrate"]] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(arguments), dir.path(), "command").finished().await;
        assert_eq!(finished.code, Some(3), "{arguments:?}: {}", finished.err);
        assert!(finished.err.contains("daybook up"), "{arguments:?}: {}", finished.err);
    }
    for arguments in [&["up", "--listen", "somewhere"][..], &["serve", "everything"], &["nonsense"], &[]] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(arguments), dir.path(), "command").finished().await;
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.err);
    }
    for arguments in [&["--help"][..], &["up", "--help"], &["replay", "--help"], &["serve", "--help"]] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(arguments), dir.path(), "command").finished().await;
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.err);
        assert!(finished.out.contains("Usage:"), "{arguments:?}: {}", finished.out);
    }
}
