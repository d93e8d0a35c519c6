//! `daybook import`: every format, what is refused, going on after a kill, and its exit codes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Api, Customer, Finished, Program, Stack, command, eventually, shared};

/// Imports into a customer's history, from a folder.
async fn import(customer: &Customer, dir: &Path, arguments: &[&str]) -> Finished {
    start(customer, dir, arguments).finished().await
}

fn start(customer: &Customer, dir: &Path, arguments: &[&str]) -> Program {
    let mut command = command(dir);
    command.arg("import").args(["--url", &shared().url, "--token", &customer.token]).args(arguments);
    Program::start(&mut command, dir, &uuid::Uuid::now_v7().to_string())
}

/// The contents of a customer's activities, as they were recorded, in order.
async fn recorded(api: &Api) -> Vec<Value> {
    let request = api.request(reqwest::Method::GET, "/v1/history").header("accept", "application/x-ndjson");
    let text = request.send().await.unwrap().text().await.unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .map(|event| {
            let mut content = event["payload"].clone();
            content.as_object_mut().unwrap().remove("occurred_at_source");
            content["id"] = event["activity_id"].clone();
            content
        })
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_format_is_recognised_and_becomes_activities() {
    let customer = shared().customer().await;
    let dir = tempfile::tempdir().unwrap();
    let at = "2026-03-01T09:30:00Z";
    let files: [(&str, Vec<u8>); 5] = [
        ("own.ndjson", format!("{{\"id\":\"o\",\"type\":\"page.viewed\",\"actor\":\"ada\",\"occurred_at\":\"{at}\"}}\n").into()),
        (
            "orders.csv.gz",
            gzip("id,event,user_id,time,amount,Plan\nc,order.paid,ada,2026-03-01 09:30:00,12.50,pro\n"),
        ),
        (
            "posthog.jsonl.zst",
            zstd::encode_all(
                &br#"{"uuid":"p","event":"opened","distinct_id":"ada","timestamp":"2026-03-01 09:30:00+00:00","properties":"{\"$ip\":\"1.2.3.4\"}"}"#[..],
                1,
            )
            .unwrap(),
        ),
        (
            "posthog.csv",
            b"uuid,event,properties,distinct_id,timestamp\nq,opened,\"{\"\"n\"\":1}\",ada,2026-03-01T09:30:00Z\n".to_vec(),
        ),
        (
            "segment.json",
            br#"{"type":"track","event":"paid","messageId":"s","userId":"ada","timestamp":"2026-03-01T09:30:00Z","properties":{"n":2},"context":{"ip":"1.2.3.4"}}"#
                .to_vec(),
        ),
    ];
    for (name, bytes) in &files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let names = ["own.ndjson", "posthog.jsonl.zst", "posthog.csv", "segment.json"];
    let done = import(&customer, dir.path(), &names).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(done.out.lines().count(), names.len(), "{}", done.out);
    let map = "type=event,actor=user_id,occurred_at=time,value=amount,properties.*";
    let done = import(&customer, dir.path(), &["--map", map, "orders.csv.gz"]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let expected = [
        json!({"id": "o", "type": "page.viewed", "actor": "ada", "occurred_at": at}),
        json!({"id": "p", "type": "opened", "actor": "ada", "occurred_at": at, "properties": {"$ip": "1.2.3.4"}}),
        json!({"id": "q", "type": "opened", "actor": "ada", "occurred_at": at, "properties": {"n": 1}}),
        json!({"id": "s", "type": "paid", "actor": "ada", "occurred_at": at, "properties": {"n": 2},
               "context": {"ip": "1.2.3.4"}}),
        json!({"id": "c", "type": "order.paid", "actor": "ada", "occurred_at": at, "value": 12.5,
               "properties": {"Plan": "pro"}}),
    ];
    assert_eq!(recorded(&customer.api).await, expected);
}

#[tokio::test]
async fn what_daybook_wrote_is_read_back_by_another_customer() {
    let customer = shared().customer().await;
    for (id, value) in [("=1+1", json!(1.5)), ("b", json!(null))] {
        let properties = json!({"digits": 1.10, "text": "two\nlines, \"quoted\""});
        customer
            .api
            .record(
                &json!({"id": id, "type": "a", "actor": "-ada", "value": value, "properties": properties}),
            )
            .await;
    }
    let dir = tempfile::tempdir().unwrap();
    for format in ["ndjson", "csv"] {
        let text = eventually("the export has both", || async {
            let answer = customer.api.get(&format!("/v1/activities?format={format}")).await;
            (answer.text.matches("\"digits").count() >= 2 || answer.text.matches("digits").count() >= 2)
                .then_some(answer.text)
        })
        .await;
        fs::write(dir.path().join(format!("export.{format}")), text).unwrap();
        let replayed = shared().operate(&["replay", "--customer", &customer.id, "--format", format]).await;
        fs::write(dir.path().join(format!("replay.{format}")), replayed.out).unwrap();
    }
    let mut before = recorded(&customer.api).await;
    before.sort_by_key(|content| content["id"].to_string());
    for name in ["export.ndjson", "export.csv", "replay.ndjson", "replay.csv"] {
        let other = shared().customer().await;
        let done = import(&other, dir.path(), &[name]).await;
        assert_eq!(done.code, Some(0), "{name}: {} {}", done.out, done.err);
        let mut read_back = recorded(&other.api).await;
        read_back.sort_by_key(|content| content["id"].to_string());
        assert_eq!(read_back, before, "{name}");
    }
}

#[tokio::test]
async fn what_is_refused_is_in_a_file_with_its_line_and_the_reason_and_nothing_is_recorded_twice() {
    let customer = shared().customer().await;
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        "{\"type\":\"a\",\"actor\":\"b\"}",
        "no JSON",
        "",
        "{\"type\":\"\",\"actor\":\"b\"}",
        "{\"type\":\"a\",\"actor\":\"b\"}",
    ];
    fs::write(dir.path().join("mixed.ndjson"), lines.join("\n")).unwrap();
    for (accepted, duplicates) in [(2, 0), (0, 2)] {
        let done = import(&customer, dir.path(), &["--format", "ndjson", "mixed.ndjson"]).await;
        assert_eq!(done.code, Some(1), "{}", done.err);
        let said = format!("{accepted} recorded, {duplicates} had been recorded before, 2 refused");
        assert!(done.out.contains(&said), "{}", done.out);
        let rejects = fs::read_to_string(dir.path().join("mixed.ndjson.rejects.ndjson")).unwrap();
        let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let places: Vec<_> =
            rejects.iter().map(|reject| (&reject["line"], &reject["errors"][0]["pointer"])).collect();
        assert_eq!(places, [(&json!(2), &json!("")), (&json!(4), &json!("/type"))]);
        assert_eq!(rejects[0]["record"], "no JSON");
        assert!(!dir.path().join("mixed.ndjson.import.json").exists(), "it came to the end");
    }
    assert_eq!(recorded(&customer.api).await.len(), 2);
}

#[tokio::test]
async fn a_killed_import_goes_on_where_everything_is_known() {
    let customer = shared().customer().await;
    let dir = tempfile::tempdir().unwrap();
    let count = 60_000;
    let line = |n: usize| {
        if n.is_multiple_of(1_000) {
            "bad\n".to_owned()
        } else {
            format!("{{\"type\":\"a\",\"actor\":\"p{}\"}}\n", n % 7)
        }
    };
    fs::write(dir.path().join("many.ndjson"), (1..=count).map(line).collect::<String>()).unwrap();
    let state = dir.path().join("many.ndjson.import.json");
    let program = start(&customer, dir.path(), &["--format", "ndjson", "many.ndjson"]);
    eventually("it is kept how far it has come", || {
        let kept = state.exists();
        async move { kept.then_some(()) }
    })
    .await;
    program.kill();
    let kept: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    let done = import(&customer, dir.path(), &["--format", "ndjson", "many.ndjson"]).await;
    assert_eq!(done.code, Some(1), "{}", done.err);
    let before = kept["totals"]["accepted"].as_u64().unwrap() + kept["totals"]["rejected"].as_u64().unwrap();
    assert!(before > 0 && done.out.contains("by an import before"), "{before}: {}", done.out);
    let rejects = fs::read_to_string(dir.path().join("many.ndjson.rejects.ndjson")).unwrap();
    let lines: Vec<_> = rejects
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, (1..=count as u64).filter(|n| n.is_multiple_of(1_000)).collect::<Vec<_>>());
    assert_eq!(recorded(&customer.api).await.len(), count - count / 1_000);
}

#[tokio::test]
async fn standard_input_is_imported_with_the_token_of_the_data_folder() {
    let stack = Stack::start();
    let mut command = tokio::process::Command::from(command(stack.dir()));
    command.args(["import", "--data-dir", "data", "--source", "test", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut input, b"type,actor\na,b\n").await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(out.contains("1 recorded"), "{out}");
}

#[tokio::test]
async fn an_exit_code_says_what_went_wrong() {
    let customer = shared().customer().await;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), "type,actor\na,b\n").unwrap();
    fs::write(dir.path().join("users.csv"), "name,mail\na,b\n").unwrap();
    let url = shared().url.as_str();
    let read_only = customer.issue(&["read"]).await["token"].as_str().unwrap().to_owned();
    for (arguments, code, said) in [
        (&["users.csv", "--url", url, "--token", &customer.token][..], 2, "--map type=COLUMN"),
        (&["a.csv", "--map", "type=event", "--url", url, "--token", &customer.token], 2, "no column event"),
        (&["a.csv", "--url", url], 2, "--token"),
        (&["a.csv", "--url", url, "--token", "dbk_short"], 2, "401"),
        (&["a.csv", "--url", url, "--token", &read_only], 2, "403"),
        (&["a.csv", "--url", "127.0.0.1", "--token", "t"], 2, "no address"),
        (&["none.csv", "--url", url, "--token", &customer.token], 3, "none.csv"),
        (&["a.csv", "--url", "http://127.0.0.1:9", "--token", "t", "--retry-for", "1"], 3, "127.0.0.1:9"),
        (&["a.csv"], 3, "daybook up"),
    ] {
        let mut command = command(dir.path());
        let finished =
            Program::start(command.arg("import").args(arguments), dir.path(), "import").finished().await;
        assert_eq!(finished.code, Some(code), "{arguments:?}: {} {}", finished.out, finished.err);
        assert!(finished.err.contains(said), "{arguments:?}: {}", finished.err);
    }
}
