//! Unmodified clients, installed from their registries: each is pointed at Daybook by its own options, with a token, and
//! sends the same twice. What they have recorded is read back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Customer, Program, shared, within};

const LIMIT: Duration = Duration::from_mins(2);

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    assert!(
        folder.join("node_modules").exists(),
        "run `npm ci` in tests/clients first; `cargo xtask test` does"
    );
    folder
}

/// A path that the tests must be given.
fn named(key: &str) -> PathBuf {
    let path = std::env::var_os(key).map(PathBuf::from);
    path.unwrap_or_else(|| panic!("{key} is not set; `cargo xtask test` sets it"))
}

/// Runs a script that drives clients until it ends well.
async fn run(program: &Path, script: &str, customer: &Customer) {
    let mut command = Command::new(program);
    command.arg(script).current_dir(folder()).stdin(Stdio::null());
    command.env("DAYBOOK_URL", &shared().url).env("DAYBOOK_TOKEN", &customer.token);
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(&mut command, dir.path(), "clients");
    let status = within(LIMIT, "the clients have sent everything", || {
        let ended = program.ended();
        async move { ended }
    })
    .await;
    assert!(status.success(), "{status}\n{}\n{}", program.out(), program.err());
}

/// The actor of each activity of this type, in the order of their names, after a look at what it says.
async fn actors(customer: &Customer, activity_type: &str) -> Vec<String> {
    let page = customer.api.get("/v1/history?limit=1000").await.json(200);
    let payloads = page["items"].as_array().unwrap().iter().map(|event| &event["payload"]);
    let mut actors: Vec<String> = payloads
        .filter(|payload| payload["type"] == activity_type)
        .map(|payload| {
            let properties = &payload["properties"];
            assert_eq!(
                (&properties["plan"], &properties["revenue"]),
                (&json!("pro"), &json!(42.5)),
                "{payload}"
            );
            assert_eq!(payload["occurred_at_source"], "client", "{payload}");
            assert!(!payload.to_string().contains(&customer.token), "the token is recorded: {payload}");
            payload["actor"].as_str().unwrap().to_owned()
        })
        .collect();
    actors.sort();
    actors
}

async fn nothing_is_rejected(customer: &Customer) {
    let page = customer.api.get("/v1/ingest/rejections").await.json(200);
    assert_eq!(page["items"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn every_client_for_node_is_recorded_once() {
    let customer = shared().customer().await;
    run(Path::new("node"), "node.js", &customer).await;
    assert_eq!(
        actors(&customer, "Order Completed").await,
        [
            "cloudevents-node-batch",
            "cloudevents-node-binary",
            "cloudevents-node-structured",
            "otlp-node-json",
            "otlp-node-protobuf",
            "posthog-node-v0",
            "posthog-node-v1",
            "rudder-node",
            "segment-node",
        ]
    );
    nothing_is_rejected(&customer).await;
}

#[tokio::test]
async fn every_client_for_python_is_recorded_once() {
    let customer = shared().customer().await;
    run(&named("DAYBOOK_TEST_PYTHON"), "python.py", &customer).await;
    assert_eq!(
        actors(&customer, "Order Completed").await,
        [
            "cloudevents-python-batch",
            "cloudevents-python-binary",
            "cloudevents-python-structured",
            "otlp-python",
            "posthog-python-v0",
            "posthog-python-v1",
            "rudder-python",
            "segment-python",
        ]
    );
    nothing_is_rejected(&customer).await;
}

#[tokio::test]
async fn both_clients_for_browsers_are_recorded() {
    let customer = shared().customer().await;
    named("CHROMIUM_PATH");
    run(Path::new("node"), "browser.js", &customer).await;
    assert_eq!(actors(&customer, "Order Completed").await, ["analytics-next", "posthog-js"]);
    nothing_is_rejected(&customer).await;
}

#[tokio::test]
async fn a_key_in_the_body_is_as_good_as_one_in_a_header_and_no_better() {
    let customer = shared().customer().await;
    let issue = async |scope: &str| customer.issue(&[scope]).await;
    let token = |issued: &Value| issued["token"].as_str().unwrap().to_owned();
    let (ingest, read, revoked) = (issue("ingest").await, issue("read").await, issue("ingest").await);
    let path = format!("/v1/tokens/{}", revoked["id"].as_str().unwrap());
    assert_eq!(customer.api.delete(&path).await.status, 204);
    let anonymous = shared().anonymous();
    for (key, status) in [
        (token(&ingest), 200),
        (token(&read), 403),
        (token(&revoked), 401),
        ("dbk_typo".to_owned(), 401),
        (String::new(), 401),
    ] {
        let message = json!({"type": "track", "event": "a", "userId": "ada"});
        let answer = anonymous.post("/v1/batch", &json!({"writeKey": key, "batch": [message]})).await;
        assert_eq!(answer.status, status, "{key}: {}", answer.text);
        // A client that does not find them sends the same again.
        let body: Value = serde_json::from_str(&answer.text).unwrap();
        assert!(status == 200 || body["code"].is_string() && body["message"].is_string(), "{body}");
        let event = json!({"event": "a", "properties": {"distinct_id": "ada", "token": key}});
        for body in [json!({"api_key": key, "batch": [event]}), json!([event]), event.clone()] {
            let answer = anonymous.post("/e/", &body).await;
            assert_eq!(answer.status, status, "{key}: {}", answer.text);
        }
    }
    // Without a key nobody is told what is wrong with a body.
    let json = [("content-type", "application/json")];
    assert_eq!(anonymous.post_raw("/batch/", &json, "{").await.status, 401);
    assert_eq!(anonymous.post("/v1/logs", &json!({"resourceLogs": 1})).await.status, 401);
}
