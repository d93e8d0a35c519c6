use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use pulsar::consumer::{Consumer, InitialPosition};
use pulsar::message::proto::command_subscribe::SubType;
use pulsar::{ConsumerOptions, Pulsar, TokioExecutor};
use serde_json::Value;
use uuid::Uuid;

use super::Fleet;
use super::writers::Noted;
use crate::support::{Customer, PATIENCE, eventually};

const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);

/// What lies in the log: each partition's events in order, and how many each customer has.
struct Log {
    partitions: BTreeMap<i32, Vec<Uuid>>,
    streams: BTreeSet<String>,
    customers: BTreeMap<String, i64>,
}

/// Compares what was acknowledged, the log, the topic and the reports of every process that runs: nothing is lost, nothing
/// is there twice.
pub(super) async fn check(fleet: &Fleet, customers: &[Customer], noted: &Noted) {
    check_from(fleet, customers, noted, &BTreeMap::new()).await;
}

/// The same with a topic that has lost what was recorded up to these positions, as far as it was published.
pub(super) async fn check_from(
    fleet: &Fleet,
    customers: &[Customer],
    noted: &Noted,
    lost_to: &BTreeMap<i32, i64>,
) {
    let log = log(fleet).await;
    let lost: Vec<_> = noted.acknowledged.difference(&log.streams).take(5).collect();
    assert!(lost.is_empty(), "acknowledged and not in the log: {lost:?}");
    let own = |stream: &&String| noted.sent.contains(*stream);
    assert!(log.streams.iter().filter(own).count() >= noted.acknowledged.len());
    assert!(!noted.acknowledged.is_empty(), "nothing was acknowledged, so nothing was shown");

    fleet.relayed(PATIENCE).await;
    for (partition, events) in &log.partitions {
        travelled(fleet, *partition, events, lost_to.get(partition).copied().unwrap_or(0)).await;
    }
    for (n, _) in fleet.reports.iter().enumerate().filter(|(_, reports)| reports.is_some()) {
        for customer in customers {
            let expected = log.customers.get(&customer.id).copied().unwrap_or(0);
            reported(fleet, n, customer, expected).await;
        }
    }
}

async fn log(fleet: &Fleet) -> Log {
    let rows: Vec<(i32, i64, Uuid, Uuid, String)> = sqlx::query_as(
        "SELECT partition, position, event_id, customer_id, aggregate_id FROM events ORDER BY partition, position",
    )
    .fetch_all(fleet.log())
    .await
    .unwrap();
    let mut log = Log { partitions: BTreeMap::new(), streams: BTreeSet::new(), customers: BTreeMap::new() };
    for (partition, position, event, customer, stream) in rows {
        let events = log.partitions.entry(partition).or_default();
        events.push(event);
        assert_eq!(position, events.len() as i64, "partition {partition} has a hole");
        assert!(log.streams.insert(stream.clone()), "{stream} is there twice");
        *log.customers.entry(customer.to_string()).or_default() += 1;
    }
    log
}

/// A consumer that takes the next position and nothing else, as `docs/asyncapi.yaml` says, gets every event of a partition
/// after `lost_to`.
async fn travelled(fleet: &Fleet, partition: i32, events: &[Uuid], lost_to: i64) {
    let topic =
        format!("persistent://public/{}/daybook.activities.v1-partition-{partition}", fleet.namespace);
    let client = Pulsar::builder(&fleet.broker.url, TokioExecutor).build().await.unwrap();
    let building = client
        .consumer()
        .with_topic(&topic)
        .with_subscription("checker")
        .with_subscription_type(SubType::Exclusive)
        .with_options(ConsumerOptions {
            durable: Some(false),
            initial_position: InitialPosition::Earliest,
            ..ConsumerOptions::default()
        })
        .build();
    let mut consumer: Consumer<Vec<u8>, _> = Box::pin(building).await.unwrap();
    let mut reached = lost_to;
    while reached < events.len() as i64 {
        let next = tokio::time::timeout(ARRIVAL_LIMIT, consumer.next()).await;
        let message = next.unwrap_or_else(|_| {
            panic!("partition {partition} of the topic ends at {reached}, the log at {}", events.len())
        });
        let event: Value = serde_json::from_slice(&message.unwrap().unwrap().payload.data).unwrap();
        let position = event["position"].as_i64().unwrap();
        assert_eq!(event["id"], events[position as usize - 1].to_string(), "{event}");
        // What jumps ahead, over messages that broke off on their way, comes again after them.
        if position == reached + 1 {
            reached = position;
        }
    }
}

/// A report counts exactly what is in the log.
async fn reported(fleet: &Fleet, n: usize, customer: &Customer, expected: i64) {
    let now = chrono::Utc::now();
    let time = |hours: i64| (now + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:00:00Z");
    let path = format!("/v1/reports/activity?interval=hour&from={}&to={}", time(-12), time(12));
    let api = fleet.at_reports(n, customer);
    eventually("the report counts everything once", || async {
        let total = api.get(&path).await.json(200)["total"].as_i64().unwrap();
        assert!(total <= expected, "the report counts {total} of {expected}");
        (total == expected).then_some(())
    })
    .await;
}
