use chrono::{DateTime, TimeDelta, Utc};
use domain::activity::{ActivityContent, ActivityEvent, OccurredAtSource};
use domain::{ActivityId, CustomerId, Json, Partition, Partitions};
use event_store::{Append, NewEvent, append_events};
use sqlx::PgPool;
use uuid::Uuid;

use crate::bench::database_failure;
use crate::bench::rows::{BATCH, customer_in};
use crate::demo::random::Random;
use crate::failure::Failure;

/// Batches that are made before they are appended.
const BATCHES_AHEAD: usize = 4;
/// Over so many days times are spread.
pub(super) const DAYS: u64 = 90;
const ACTORS: u64 = 100_000;
const ACTORS_OF_A_SMALL_CUSTOMER: u64 = 3;
const DAY_MS: u64 = 86_400_000;
const TYPES: u64 = 20;
const PLANS: [&str; 5] = ["free", "starter", "pro", "team", "enterprise"];
const COUNTRIES: u64 = 60;
const PAGES: u64 = 2_000;
/// One in so many has a value.
const VALUES: u64 = 3;
/// Values are amounts below so many cents.
const CENTS_MAX: u64 = 100_000;
/// Customers in each partition, where all partitions have some.
const CUSTOMERS_OF_A_PARTITION: usize = 4;
/// Every run measures with the same activities.
const SEED: u64 = 20_260_301;

/// Whose the activities are.
pub(super) struct Sample {
    customers: Customers,
}

enum Customers {
    One,
    Known(CustomerId),
    AllPartitions,
    Small(usize),
}

impl Sample {
    pub(super) fn one_customer() -> Self {
        Self { customers: Customers::One }
    }

    /// One customer who exists.
    pub(super) fn of(customer: CustomerId) -> Self {
        Self { customers: Customers::Known(customer) }
    }

    pub(super) fn all_partitions() -> Self {
        Self { customers: Customers::AllPartitions }
    }

    /// So many, each with as few activities as there are for each.
    pub(super) fn small_customers(customers: usize) -> Self {
        Self { customers: Customers::Small(customers) }
    }

    fn customers(&self, partitions: Partitions) -> Vec<CustomerId> {
        match self.customers {
            Customers::Known(customer) => vec![customer],
            Customers::One => vec![customer_in(Partition(0), partitions)],
            Customers::AllPartitions => (0..partitions.count())
                .flat_map(|partition| {
                    (0..CUSTOMERS_OF_A_PARTITION).map(move |_| customer_in(Partition(partition), partitions))
                })
                .collect(),
            Customers::Small(count) => (0..count).map(|_| CustomerId(Uuid::now_v7())).collect(),
        }
    }

    /// Appends activities whose times are spread over ninety days in random order.
    pub(super) async fn append(
        self,
        pool: &PgPool,
        partitions: Partitions,
        events: usize,
    ) -> Result<(), Failure> {
        let (sender, mut batches) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
        let making = tokio::task::spawn_blocking(move || {
            let customers = self.customers(partitions);
            let actors = match self.customers {
                Customers::Small(_) => ACTORS_OF_A_SMALL_CUSTOMER,
                // As many in all as one customer has.
                Customers::AllPartitions => ACTORS / customers.len() as u64,
                Customers::One | Customers::Known(_) => ACTORS,
            };
            let mut random = Random::new(SEED);
            let end = Utc::now();
            for first in (0..events).step_by(BATCH) {
                let batch = (first..events.min(first + BATCH)).map(|number| {
                    append(
                        customers[number % customers.len()],
                        partitions,
                        content(actors, end, &mut random)?,
                    )
                });
                let batch = batch.collect::<Result<Vec<Append>, serde_json::Error>>();
                if sender.blocking_send(batch).is_err() {
                    break;
                }
            }
        });
        let mut connection = pool.acquire().await.map_err(database_failure)?;
        while let Some(batch) = batches.recv().await {
            let batch = batch.map_err(|error| failed(&error))?;
            append_events(&mut connection, &batch.iter().collect::<Vec<_>>())
                .await
                .map_err(database_failure)?;
        }
        making.await.map_err(|error| failed(&error))
    }
}

/// A batch as a client posts it, each activity with an id of its own.
pub(super) fn batch_body(n: usize) -> String {
    let mut random = Random::new(SEED ^ n as u64);
    let now = Utc::now();
    let items = (0..BATCH).map(|_| {
        let content = content(ACTORS, now, &mut random).and_then(|content| {
            let ActivityContent { activity_type, actor, occurred_at, value, properties, .. } = content;
            let properties = serde_json::to_string(&properties)?;
            let value = serde_json::to_string(&value)?;
            let (id, at) = (Uuid::now_v7(), occurred_at.to_rfc3339());
            Ok(format!(
                r#"{{"id":"{id}","type":"{activity_type}","actor":"{actor}","occurred_at":"{at}","value":{value},"properties":{properties}}}"#
            ))
        });
        // What cannot be made is refused by whoever gets it.
        content.unwrap_or_default()
    });
    format!(r#"{{"activities":[{}]}}"#, items.collect::<Vec<_>>().join(","))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("a sample cannot be made: {error}"))
}

fn content(
    actors: u64,
    end: DateTime<Utc>,
    random: &mut Random,
) -> Result<ActivityContent, serde_json::Error> {
    let properties = format!(
        r#"{{"plan":"{}","country":"c{}","page":"/products/{}","returning":{}}}"#,
        PLANS[random.below(PLANS.len() as u64) as usize],
        random.below(COUNTRIES),
        random.below(PAGES),
        random.below(2) == 1,
    );
    Ok(ActivityContent {
        activity_type: format!("kind.{}", random.below(TYPES)),
        actor: format!("person-{}", random.below(actors)),
        occurred_at: end - TimeDelta::milliseconds(random.below(DAYS * DAY_MS) as i64),
        occurred_at_source: OccurredAtSource::Client,
        value: (random.below(VALUES) == 0).then(|| random.below(CENTS_MAX) as f64 / 100.0),
        properties: Some(serde_json::from_str::<Json>(&properties)?),
        context: None,
    })
}

fn append(
    customer: CustomerId,
    partitions: Partitions,
    content: ActivityContent,
) -> Result<Append, serde_json::Error> {
    let metadata = format!(r#"{{"request_id":"{}","subject":"token:{}"}}"#, Uuid::nil(), Uuid::nil());
    Ok(Append {
        partition: partitions.of(customer),
        customer_id: customer,
        aggregate_type: "activity",
        aggregate_id: ActivityId::from_uuid(Uuid::now_v7()).stream(customer),
        sequence: 1,
        events: vec![NewEvent::of(&ActivityEvent::ActivityRecorded(content), metadata)?],
    })
}
