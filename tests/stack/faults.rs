//! Everything is killed, again and again, under load: what was acknowledged is in the history and in the report, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Api, Stack, eventually};

const KILLS: usize = 10;
const WRITERS: usize = 6;
/// How much must be acknowledged between two kills.
const ACKNOWLEDGED_MIN: usize = 60;

/// What the writers know of their activities.
#[derive(Default)]
struct Outcome {
    /// Acknowledged, with their positions where the response named one.
    acknowledged: BTreeMap<String, Option<i64>>,
    /// Sent, without a response that says whether they were recorded.
    unknown: BTreeSet<String>,
}

/// Sends activities, alone and in batches, until the system is gone.
async fn write(
    api: Api,
    round: usize,
    writer: usize,
    count: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for n in 0.. {
        let ids: Vec<String> =
            (0..if n % 4 == 3 { 20 } else { 1 }).map(|m| format!("{round}-{writer}-{n}-{m}")).collect();
        let activities: Vec<Value> =
            ids.iter().map(|id| json!({"id": id, "type": format!("round.{round}"), "actor": id})).collect();
        let request = if let [one] = &activities[..] {
            api.request(reqwest::Method::POST, "/v1/activities").json(one)
        } else {
            api.request(reqwest::Method::POST, "/v1/activities/batch")
                .json(&json!({"activities": activities}))
        };
        let answer = match request.send().await {
            Ok(response) if response.status() == 202 => response.json::<Value>().await.ok(),
            _ => None,
        };
        if let Some(answer) = answer {
            assert!(answer["rejected"].as_array().is_none_or(Vec::is_empty), "{answer}");
            count.fetch_add(ids.len(), Ordering::SeqCst);
            let position = answer["position"].as_i64();
            outcome.acknowledged.extend(ids.into_iter().map(|id| (id, position)));
        } else {
            outcome.unknown.extend(ids);
            if stopped.load(Ordering::SeqCst) {
                return outcome;
            }
            tokio::task::yield_now().await;
        }
    }
    unreachable!("an endless loop has ended")
}

/// The whole history of a customer. It breaks off rather than tell a part, while the database is away.
async fn history(api: &Api) -> Vec<Value> {
    eventually("the history can be read", || async {
        let request =
            api.request(reqwest::Method::GET, "/v1/history").header("accept", "application/x-ndjson");
        let response = request.send().await.unwrap();
        let text = if response.status() == 200 { response.text().await.ok()? } else { return None };
        Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill_and_is_counted_once() {
    let mut stack = Stack::start();
    let customer = stack.customer().await;
    let mut outcome = Outcome::default();
    for round in 0..KILLS {
        let api = stack.anonymous().with_token(&customer.token);
        let (count, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(write(api.clone(), round, writer, Arc::clone(&count), Arc::clone(&stopped)));
        }
        eventually("enough is acknowledged", || async {
            (count.load(Ordering::SeqCst) >= ACKNOWLEDGED_MIN).then_some(())
        })
        .await;
        // Each writer goes on until it gets no response any more.
        stopped.store(true, Ordering::SeqCst);
        // Sometimes the database goes with it, and sometimes it is left over with nobody to look after it.
        stack.kill(round % 2 == 0);
        for one in writers.join_all().await {
            outcome.acknowledged.extend(one.acknowledged);
            outcome.unknown.extend(one.unknown);
        }
        stack = stack.start_again();
    }

    let api = stack.anonymous().with_token(&customer.token);
    let events = history(&api).await;
    let places: BTreeMap<&str, i64> = events
        .iter()
        .map(|event| (event["activity_id"].as_str().unwrap(), event["position"].as_i64().unwrap()))
        .collect();
    assert_eq!(places.len(), events.len(), "an activity is in the history twice");
    for (id, position) in &outcome.acknowledged {
        let place = places.get(id.as_str()).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        assert!(position.is_none_or(|position| position == *place), "{id} is not where it was said to be");
    }
    let explained = |id: &str| outcome.acknowledged.contains_key(id) || outcome.unknown.contains(id);
    assert!(places.keys().all(|id| explained(id)), "something is in the history that nobody sent");

    let total = eventually("the report has caught up", || async {
        let report = api.get("/v1/reports/activity?interval=day&group_by=type").await.json(200);
        let position = report["as_of"]["position"].as_i64().unwrap();
        (Some(position) == places.values().max().copied()).then_some(report)
    })
    .await;
    assert_eq!(total["total"].as_u64().unwrap(), events.len() as u64, "the report counts something else");
    // What had no response is sent again: nothing is recorded twice, and nothing is missing after that.
    for id in &outcome.unknown {
        let round = id.split('-').next().unwrap();
        let answer = api.record(&json!({"id": id, "type": format!("round.{round}"), "actor": id})).await;
        assert_eq!(answer["duplicate"].as_bool().unwrap(), places.contains_key(id.as_str()), "{id}");
    }
    assert_eq!(history(&api).await.len(), outcome.acknowledged.len() + outcome.unknown.len());
    let status = stack.operate(&["status", "--json"]).await;
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["healthy"], true, "{status}");
}

#[tokio::test]
async fn a_database_that_dies_is_started_again_and_nothing_is_lost() {
    let stack = Stack::start();
    let customer = stack.customer().await;
    customer.api.record(&json!({"id": "before", "type": "a", "actor": "b"})).await;
    stack.kill_database();
    eventually("the log can be written again", || async {
        let answer =
            customer.api.post("/v1/activities", &json!({"id": "after", "type": "a", "actor": "b"})).await;
        if answer.status == 503 {
            assert!(!answer.header("retry-after").is_empty(), "{}", answer.text);
        }
        (answer.status == 202).then_some(())
    })
    .await;
    let ids: Vec<_> = history(&customer.api).await.iter().map(|event| event["activity_id"].clone()).collect();
    assert_eq!(ids, ["before", "after"]);
    eventually("the report counts both", || async {
        let report = customer.api.get("/v1/reports/activity?interval=day").await;
        (report.status == 200 && report.json(200)["total"] == 2).then_some(())
    })
    .await;
}
