//! What every adapter must do, as checks that run against a real one. An adapter's test gives the two ends and a log, and
//! runs [`all`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{CustomerId, Partition};
use event_store::{Append, Appended, Appender, EventLog, NewEvent, RecordedEvent};
use uuid::Uuid;

use crate::EventSubscription;

const PATIENCE: Duration = Duration::from_secs(20);

/// An adapter under test: a log whose relay publishes through it, and its receiving end. `subscribe` makes another
/// subscription of the same consumer, as a restart would.
pub struct Subject {
    /// The log.
    pub log: EventLog,
    /// Writes to it.
    pub appender: Appender,
    /// Makes the receiving end.
    pub subscribe: Box<dyn Fn() -> Arc<dyn EventSubscription> + Send + Sync>,
}

/// A check failed; says which and how.
pub type Outcome = Result<(), String>;

impl Subject {
    async fn append(&self, customer: CustomerId, count: usize) -> Result<Partition, String> {
        let partition = self.log.partitions().of(customer);
        let append = |_| Append {
            partition,
            customer_id: customer,
            aggregate_type: "activity",
            aggregate_id: format!("{customer}:{}", Uuid::now_v7()),
            sequence: 1,
            events: vec![NewEvent {
                event_id: Uuid::now_v7(),
                event_type: "ActivityRecorded".into(),
                event_version: "2.0.0".into(),
                payload: "{}".into(),
                metadata: "{}".into(),
            }],
        };
        let outcomes = self
            .appender
            .append((0..count).map(append).collect())
            .await
            .map_err(|error| error.to_string())?;
        if outcomes.iter().all(|outcome| matches!(outcome, Appended::Stored { .. })) {
            Ok(partition)
        } else {
            Err("an append was refuted".into())
        }
    }

    async fn head(&self, partition: Partition) -> Result<i64, String> {
        let heads = self.log.heads().await.map_err(|error| error.to_string())?;
        Ok(heads.iter().find(|head| head.partition == partition).map_or(0, |head| head.position))
    }
}

/// Consumes a partition from a position until `to`, in pages, as a consumer would: told first, then fetching.
async fn consume(
    subscription: &dyn EventSubscription,
    partition: Partition,
    after: i64,
    to: i64,
    page: usize,
) -> Result<Vec<RecordedEvent>, String> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    let consuming = async {
        let mut told = BTreeMap::new();
        loop {
            let last = events.last().map_or(after, |event: &RecordedEvent| event.position);
            if last >= to {
                return Ok(());
            }
            let more = subscription.fetch(partition, last, page).await.map_err(|error| error.to_string())?;
            if more.len() > page {
                return Err(format!("asked for {page} events, got {}", more.len()));
            }
            if more.is_empty() {
                for news in subscription.published().await.map_err(|error| error.to_string())? {
                    told.insert(news.partition, news.position);
                }
            }
            events.extend(more);
        }
    };
    tokio::time::timeout(PATIENCE, consuming)
        .await
        .unwrap_or_else(|_| Err("events did not arrive in time".into()))?;
    let expected: Vec<i64> = (after + 1..=events.last().map_or(after, |event| event.position)).collect();
    let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
    if positions == expected {
        Ok(events)
    } else {
        Err(format!("positions {positions:?} are not {expected:?}"))
    }
}

/// Runs every check.
///
/// # Errors
/// The first check that failed, by name.
pub async fn all(subject: &Subject) -> Outcome {
    let named = |name: &'static str| move |reason: String| format!("{name}: {reason}");
    events_arrive_in_order_and_without_a_hole(subject).await.map_err(named("in order and without a hole"))?;
    a_waiting_consumer_is_woken(subject).await.map_err(named("a waiting consumer is woken"))?;
    partitions_do_not_mix(subject).await.map_err(named("partitions do not mix"))?;
    a_restarted_consumer_goes_on_where_it_was(subject)
        .await
        .map_err(named("a restarted consumer goes on"))?;
    what_was_not_acknowledged_comes_again(subject)
        .await
        .map_err(named("what was not acknowledged comes again"))?;
    what_arrives_is_what_was_appended(subject).await.map_err(named("what arrives is what was appended"))
}

async fn events_arrive_in_order_and_without_a_hole(subject: &Subject) -> Outcome {
    let subscription = (subject.subscribe)();
    let customer = CustomerId(Uuid::now_v7());
    let partition = subject.log.partitions().of(customer);
    let before = subject.head(partition).await?;
    for _ in 0..5 {
        subject.append(customer, 40).await?;
    }
    consume(&*subscription, partition, before, before + 200, 7).await.map(|_| ())
}

async fn a_waiting_consumer_is_woken(subject: &Subject) -> Outcome {
    let subscription = (subject.subscribe)();
    let customer = CustomerId(Uuid::now_v7());
    let partition = subject.log.partitions().of(customer);
    let before = subject.head(partition).await?;
    let waiting = async {
        loop {
            let news = subscription.published().await.map_err(|error| error.to_string())?;
            if news.iter().any(|news| news.partition == partition && news.position > before) {
                return Ok(());
            }
        }
    };
    let (woken, appended) =
        tokio::join!(tokio::time::timeout(PATIENCE, waiting), subject.append(customer, 1));
    appended?;
    woken.unwrap_or_else(|_| Err("it waited in vain".into()))
}

async fn partitions_do_not_mix(subject: &Subject) -> Outcome {
    let subscription = (subject.subscribe)();
    for customer in (0..8).map(|_| CustomerId(Uuid::now_v7())) {
        let before = subject.head(subject.log.partitions().of(customer)).await?;
        let partition = subject.append(customer, 3).await?;
        let events = consume(&*subscription, partition, before, before + 3, 100).await?;
        if events.iter().any(|event| event.partition != partition) {
            return Err(format!("partition {partition} brought events of another"));
        }
    }
    Ok(())
}

async fn a_restarted_consumer_goes_on_where_it_was(subject: &Subject) -> Outcome {
    let customer = CustomerId(Uuid::now_v7());
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 10).await?;
    let first = (subject.subscribe)();
    consume(&*first, partition, before, before + 4, 4).await?;
    first.acknowledge(partition, before + 4).await.map_err(|error| error.to_string())?;
    drop(first);
    subject.append(customer, 5).await?;
    consume(&*(subject.subscribe)(), partition, before + 4, before + 15, 100).await.map(|_| ())
}

async fn what_was_not_acknowledged_comes_again(subject: &Subject) -> Outcome {
    let customer = CustomerId(Uuid::now_v7());
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 6).await?;
    let first = (subject.subscribe)();
    consume(&*first, partition, before, before + 6, 100).await?;
    drop(first);
    consume(&*(subject.subscribe)(), partition, before, before + 6, 100).await.map(|_| ())
}

async fn what_arrives_is_what_was_appended(subject: &Subject) -> Outcome {
    let customer = CustomerId(Uuid::now_v7());
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 2).await?;
    let arrived = consume(&*(subject.subscribe)(), partition, before, before + 2, 100).await?;
    let stored = subject.log.read(partition, before, 2).await.map_err(|error| error.to_string())?;
    let text = |events: &[RecordedEvent]| events.iter().map(|event| format!("{event:?}")).collect::<Vec<_>>();
    if text(&arrived) == text(&stored) { Ok(()) } else { Err(format!("{arrived:?} is not {stored:?}")) }
}
