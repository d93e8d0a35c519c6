//! The relay and the embedded adapter against a real server.

mod broker;
mod faults;
mod python;
mod relay;
mod security;
mod set_back;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{CustomerId, Partition, Partitions};
use event_store::{Appender, AppenderConfig, EventLog};
use scratch_database::ScratchDatabase;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::conformance::{self, Subject};
use crate::{BusError, EmbeddedPublisher, EmbeddedSubscription, EventPublisher, Relay};

/// Much more than anything here takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(1);

struct House {
    log: EventLog,
    appender: Appender,
    tasks: JoinSet<()>,
    database: ScratchDatabase,
}

async fn house() -> House {
    let database = ScratchDatabase::migrated("activities").await;
    let log = EventLog::open(database.pool().clone(), Partitions::new(4).unwrap()).await.unwrap();
    let mut tasks = JoinSet::new();
    let appender = Appender::start(&log, AppenderConfig::default(), &mut tasks, &CancellationToken::new());
    House { log, appender, tasks, database }
}

impl House {
    async fn append(&self, customer: CustomerId) {
        self.append_many(customer, 1).await;
    }

    async fn append_many(&self, customer: CustomerId, count: usize) {
        let partition = self.log.partitions().of(customer);
        let appends = (0..count).map(|_| conformance::activity(partition, customer));
        self.appender.append(appends.collect()).await.unwrap();
    }

    fn relay(&mut self, publisher: Arc<dyn EventPublisher>) -> CancellationToken {
        let ends = CancellationToken::new();
        Relay::start(self.log.clone(), publisher, self.appender.commits(), &mut self.tasks, ends.clone());
        ends
    }
}

/// A log of the same events with other metadata: what a consumer beside it gets without them has travelled.
struct Copied {
    log: EventLog,
    _database: ScratchDatabase,
}

const COPIED: &str = r#"{"copied":"yes"}"#;

impl Copied {
    /// Without any event.
    async fn empty() -> Self {
        let database = ScratchDatabase::migrated("activities").await;
        let log = EventLog::open(database.pool().clone(), Partitions::new(4).unwrap()).await.unwrap();
        Self { log, _database: database }
    }

    /// Copies a partition.
    async fn fill(&self, from: &EventLog, partition: Partition) {
        for event in from.read(partition, 0, event_store::PAGE_EVENTS_MAX).await.unwrap() {
            sqlx::query(
                "INSERT INTO events (partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type,
                                     aggregate_id, event_type, event_version, payload, metadata)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::json, $12::json)",
            )
            .bind(i32::from(event.partition.0))
            .bind(event.position)
            .bind(event.sequence)
            .bind(event.recorded_at)
            .bind(event.event_id)
            .bind(event.customer_id.0)
            .bind(&event.aggregate_type)
            .bind(&event.aggregate_id)
            .bind(&event.event_type)
            .bind(&event.event_version)
            .bind(event.payload.as_str())
            .bind(COPIED)
            .execute(self.log.pool())
            .await
            .unwrap();
        }
    }
}

/// Notes what it is given, and fails while it is set to.
#[derive(Default)]
struct Noting {
    spans: Mutex<BTreeMap<Partition, Vec<(i64, i64)>>>,
    broken: AtomicBool,
}

impl Noting {
    fn reached(&self, partition: Partition) -> i64 {
        self.spans.lock().unwrap().get(&partition).and_then(|spans| spans.last()).map_or(0, |(_, to)| *to)
    }
}

#[async_trait]
impl EventPublisher for Noting {
    async fn publish(&self, partition: Partition, after: i64, to: i64) -> Result<i64, BusError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(BusError::Broker("broken for the test".into()));
        }
        self.spans.lock().unwrap().entry(partition).or_default().push((after, to));
        Ok(to)
    }
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_adapter_conforms() {
    let mut house = house().await;
    house.relay(Arc::new(EmbeddedPublisher::new(house.log.clone())));
    conformance::all(&embedded(&house)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_adapter_leaves_no_hole() {
    conformance::a_hole_is_filled_from_the_log(&embedded(&house().await)).await.unwrap();
}

fn embedded(house: &House) -> Subject {
    let log = house.log.clone();
    Subject {
        log: house.log.clone(),
        appender: house.appender.clone(),
        publisher: Arc::new(EmbeddedPublisher::new(house.log.clone())),
        subscribe: Box::new(move || Arc::new(EmbeddedSubscription::new(log.clone()))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_bus_could_not_take_waits_in_the_log() {
    let mut house = house().await;
    let publisher = Arc::new(Noting::default());
    publisher.broken.store(true, Ordering::SeqCst);
    house.relay(Arc::clone(&publisher) as Arc<dyn EventPublisher>);
    let customer = CustomerId(Uuid::now_v7());
    let partition = house.log.partitions().of(customer);
    for _ in 0..5 {
        house.append(customer).await;
    }
    publisher.broken.store(false, Ordering::SeqCst);
    eventually("the relay catches up", || publisher.reached(partition) == 5).await;
    assert_eq!(publisher.spans.lock().unwrap()[&partition].first().map(|(after, _)| *after), Some(0));
}

async fn eventually_while<F: Future<Output = ()>>(
    what: &str,
    condition: impl Fn() -> bool,
    doing: impl Fn() -> F,
) {
    let waiting = async {
        while !condition() {
            doing().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
