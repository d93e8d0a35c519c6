use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Fleet;
use crate::support::{Api, Customer};

const BATCH: usize = 10;
/// Between two batches of one writer.
const PAUSE: Duration = Duration::from_millis(40);

/// Clients who record activities all the while, and note down what was acknowledged.
pub(super) struct Writers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    noted: Arc<Mutex<Noted>>,
}

/// Streams: the customer's id and the activity's.
#[derive(Clone, Default)]
pub(super) struct Noted {
    pub(super) sent: BTreeSet<String>,
    pub(super) acknowledged: BTreeSet<String>,
}

impl Writers {
    /// One for each customer, at each process of activities in turn.
    pub(super) fn start(fleet: &Fleet, customers: &[Customer]) -> Self {
        let (noted, stop) = (Arc::<Mutex<Noted>>::default(), watch::Sender::new(false));
        let mut tasks = JoinSet::new();
        let alive: Vec<usize> =
            (0..fleet.activities.len()).filter(|n| fleet.activities[*n].is_some()).collect();
        for (n, customer) in customers.iter().enumerate() {
            let api = fleet.at_activities(alive[n % alive.len()], customer);
            tasks.spawn(write(api, customer.id.clone(), Arc::clone(&noted), stop.subscribe()));
        }
        Self { tasks, stop, noted }
    }

    /// How many activities have been acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.noted.lock().unwrap().acknowledged.len()
    }

    /// Ends them. What was sent and not acknowledged may have been recorded or not.
    pub(super) async fn stop(self) -> Noted {
        self.stop.send_replace(true);
        self.tasks.join_all().await;
        let noted = self.noted.lock().unwrap();
        noted.clone()
    }
}

async fn write(api: Api, customer: String, noted: Arc<Mutex<Noted>>, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let ids: Vec<String> = (0..BATCH).map(|_| Uuid::now_v7().to_string()).collect();
        let streams = || ids.iter().map(|id| format!("{customer}:{id}"));
        let activities: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "type": "page.viewed", "actor": "ada", "value": 1}))
            .collect();
        noted.lock().unwrap().sent.extend(streams());
        let request = api.request(reqwest::Method::POST, "/v1/activities/batch");
        let sending = request.json(&json!({"activities": activities})).send();
        // A process that was killed sends no response.
        let answer = tokio::time::timeout(Duration::from_secs(10), sending).await;
        if let Ok(Ok(answer)) = answer
            && answer.status() == 202
            && let Ok(answer) = answer.json::<Value>().await
            && answer["accepted"] == BATCH
        {
            noted.lock().unwrap().acknowledged.extend(streams());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
