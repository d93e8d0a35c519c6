//! The published description of the messages, and the example of a consumer, with Pulsar's official client.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::broker::config;
use super::*;
use crate::Feed;
use crate::pulsar::PulsarPublisher;

const LIMIT: Duration = Duration::from_secs(90);

fn python() -> PathBuf {
    let key = "DAYBOOK_TEST_PYTHON";
    PathBuf::from(std::env::var_os(key).unwrap_or_else(|| {
        panic!(
            "{key} is not set; `cargo xtask test` makes a Python with pulsar-client, pyyaml and jsonschema"
        )
    }))
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// What a program says, given something to read.
async fn run(command: &mut Command, input: Vec<u8>) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let running = async {
        stdin.write_all(&input).await.unwrap();
        drop(stdin);
        child.wait_with_output().await.unwrap()
    };
    let output = tokio::time::timeout(LIMIT, running).await.expect("the program must end in time");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

async fn validate(channel: &str, messages: String) -> usize {
    let mut command = Command::new(python());
    command.arg(in_repository("platform/event-bus/src/tests/validate.py"));
    command.arg(in_repository("docs/asyncapi.yaml")).arg(channel);
    run(&mut command, messages.into_bytes()).await.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_reads_what_was_recorded_and_the_document_describes_it() {
    let mut house = house().await;
    let config = config();
    house.relay(Arc::new(PulsarPublisher::new(config.clone(), Feed::Activities, house.log.clone())));
    let customer = CustomerId(Uuid::now_v7());
    let partition = house.log.partitions().of(customer);
    house.append_many(customer, 25).await;
    // The topic is there when the first message is.
    eventually_relayed(&house, partition, 25).await;

    let mut command = Command::new(python());
    command.arg(in_repository("docs/examples/consume.py")).args([
        "--count",
        "25",
        "--url",
        config.url.as_str(),
    ]);
    command.args(["--topic", &format!("persistent://public/{}/daybook.activities.v1", config.namespace)]);
    let messages = run(&mut command, Vec::new()).await;

    let positions: Vec<i64> = messages
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .inspect(|event| assert_eq!(event["partition"], partition.0))
        .map(|event| event["position"].as_i64().unwrap())
        .collect();
    assert_eq!(positions, (1..=25).collect::<Vec<i64>>());
    assert_eq!(validate("activities", messages).await, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_what_travels_of_customers() {
    let mut messages = String::new();
    for aggregate_type in ["token", "customer"] {
        let event = crate::pulsar::message_tests::event(aggregate_type);
        messages += &String::from_utf8(crate::pulsar::encode(Feed::Tokens, &event).unwrap()).unwrap();
        messages.push('\n');
    }
    assert_eq!(validate("tokens", messages).await, 2);
}

async fn eventually_relayed(house: &House, partition: Partition, position: i64) {
    let relaying = async {
        loop {
            let positions = crate::relay::positions(house.log.pool()).await.unwrap();
            if positions
                .iter()
                .any(|published| published.partition == partition && published.position >= position)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), relaying).await.expect("the relay must publish");
}
