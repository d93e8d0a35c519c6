//! What every adapter must do, as checks that run against a real one. An adapter's test gives the two ends and a log, and
//! runs [`all`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{CustomerId, Partition};
use event_store::{Append, Appended, Appender, EventLog, NewEvent, RecordedEvent};
use uuid::Uuid;

use crate::{EventPublisher, EventSubscription};

const PATIENCE: Duration = Duration::from_mins(1);

/// An adapter under test: a log whose relay publishes through it, and its receiving end. `subscribe` makes another
/// subscription of the same consumer, as a restart would.
pub struct Subject {
    /// The log.
    pub log: EventLog,
    /// Writes to it.
    pub appender: Appender,
    /// Another sending end than the relay's.
    pub publisher: Arc<dyn EventPublisher>,
    /// Makes the receiving end.
    pub subscribe: Box<dyn Fn() -> Arc<dyn EventSubscription> + Send + Sync>,
}

/// A check failed; says which and how.
pub type Outcome = Result<(), String>;

impl Subject {
    async fn append(&self, customer: CustomerId, count: usize) -> Result<Partition, String> {
        let partition = self.log.partitions().of(customer);
        let outcomes = self
            .appender
            .append((0..count).map(|_| activity(partition, customer)).collect())
            .await
            .map_err(|error| error.to_string())?;
        if outcomes.iter().all(|outcome| matches!(outcome, Appended::Stored { .. })) {
            Ok(partition)
        } else {
            Err("an append met a conflict".into())
        }
    }

    async fn head(&self, partition: Partition) -> Result<i64, String> {
        let heads = self.log.heads().await.map_err(|error| error.to_string())?;
        Ok(heads.iter().find(|head| head.partition == partition).map_or(0, |head| head.position))
    }
}

/// A new stream of one event, which says nothing.
pub(crate) fn activity(partition: Partition, customer: CustomerId) -> Append {
    Append {
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
    }
}

/// Consumes a partition from a position until `to`, in pages, as a consumer would: first it waits for an announcement, then it fetches.
async fn consume(
    subscription: &dyn EventSubscription,
    partition: Partition,
    after: i64,
    to: i64,
    page: usize,
) -> Result<Vec<RecordedEvent>, String> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    let consuming = async {
        let mut announced = BTreeMap::new();
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
                // An interruption is an error, and ends after a while.
                for news in subscription.published().await.unwrap_or_default() {
                    announced.insert(news.partition, news.position);
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
    what_arrives_is_what_was_appended(subject).await.map_err(named("what arrives is what was appended"))?;
    any_checkpoint_can_be_resumed(subject).await.map_err(named("any checkpoint can be resumed"))?;
    a_customers_events_keep_their_order(subject)
        .await
        .map_err(named("a customer's events keep their order"))?;
    what_is_published_twice_arrives_once(subject)
        .await
        .map_err(named("what is published twice arrives once"))?;
    a_consumer_that_does_not_fetch_holds_up_nobody(subject)
        .await
        .map_err(named("a consumer that does not fetch"))?;
    a_full_subscription_ends_at_once(subject).await.map_err(named("a full subscription ends at once"))
}

/// Runs the check for which no relay may be running: the publisher leaves something out.
///
/// # Errors
/// How it failed.
pub async fn a_hole_is_filled_from_the_log(subject: &Subject) -> Outcome {
    let text = |error: crate::BusError| error.to_string();
    let customer = CustomerId(Uuid::now_v7());
    let subscription = (subject.subscribe)();
    connected(&*subscription).await?;
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 20).await?;
    for (after, to) in [(0, 3), (6, 10), (10, 11), (15, 20), (2, 8)] {
        subject.publisher.publish(partition, before + after, before + to).await.map_err(text)?;
        subject.publisher.flush().await.map_err(text)?;
    }
    consume(&*subscription, partition, before, before + 20, 6).await.map(|_| ())
}

/// Waits until a subscription is connected.
async fn connected(subscription: &dyn EventSubscription) -> Outcome {
    let hearing = async { while subscription.published().await.is_err() {} };
    // Nothing may have been published yet, in which case nothing is said: a short wait is no failure.
    let _ = tokio::time::timeout(Duration::from_secs(3), hearing).await;
    Ok(())
}

async fn any_checkpoint_can_be_resumed(subject: &Subject) -> Outcome {
    let customer = CustomerId(Uuid::now_v7());
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 50).await?;
    let subscription = (subject.subscribe)();
    consume(&*subscription, partition, before, before + 50, 20).await?;
    subscription.acknowledge(partition, before + 50).await.map_err(|error| error.to_string())?;
    // Behind what the broker has acknowledged, and in any order.
    for from in [30, 0, 49, 10] {
        consume(&*subscription, partition, before + from, before + 50, 20).await?;
    }
    consume(&*(subject.subscribe)(), partition, before + 5, before + 50, 20).await.map(|_| ())
}

async fn a_customers_events_keep_their_order(subject: &Subject) -> Outcome {
    let subscription = (subject.subscribe)();
    let customer = CustomerId(Uuid::now_v7());
    let partition = subject.log.partitions().of(customer);
    let before = subject.head(partition).await?;
    let mut arrived: Vec<RecordedEvent> = Vec::new();
    for round in 1..=3 {
        subject.append(customer, 30).await?;
        // Each round by another subscription, as after a restart.
        let subscription = if round == 2 { (subject.subscribe)() } else { Arc::clone(&subscription) };
        let after = arrived.last().map_or(before, |event| event.position);
        arrived.extend(consume(&*subscription, partition, after, before + 30 * round, 8).await?);
    }
    let stored = subject.log.read(partition, before, 90).await.map_err(|error| error.to_string())?;
    let ids = |events: &[RecordedEvent]| events.iter().map(|event| event.event_id).collect::<Vec<_>>();
    if ids(&arrived) == ids(&stored) { Ok(()) } else { Err("the order is not the log's".into()) }
}

async fn what_is_published_twice_arrives_once(subject: &Subject) -> Outcome {
    let text = |error: crate::BusError| error.to_string();
    let subscription = (subject.subscribe)();
    let customer = CustomerId(Uuid::now_v7());
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 10).await?;
    for (after, to) in [(0, 10), (4, 10), (0, 10)] {
        subject.publisher.publish(partition, before + after, before + to).await.map_err(text)?;
        subject.publisher.flush().await.map_err(text)?;
    }
    subject.append(customer, 5).await?;
    // In small pages, so that a repetition would be met as one.
    consume(&*subscription, partition, before, before + 15, 2).await.map(|_| ())
}

async fn a_consumer_that_does_not_fetch_holds_up_nobody(subject: &Subject) -> Outcome {
    let (idle, busy) = ((subject.subscribe)(), (subject.subscribe)());
    let customer = CustomerId(Uuid::now_v7());
    let partition = subject.log.partitions().of(customer);
    let before = subject.head(partition).await?;
    for _ in 0..5 {
        subject.append(customer, 600).await?;
    }
    consume(&*busy, partition, before, before + 3_000, 500).await?;
    consume(&*idle, partition, before, before + 3_000, 500).await.map(|_| ())
}

async fn a_full_subscription_ends_at_once(subject: &Subject) -> Outcome {
    let subscription = (subject.subscribe)();
    let customer = CustomerId(Uuid::now_v7());
    let before = subject.head(subject.log.partitions().of(customer)).await?;
    let partition = subject.append(customer, 1_000).await?;
    consume(&*(subject.subscribe)(), partition, before, before + 1_000, 500).await?;
    let began = std::time::Instant::now();
    drop(subscription);
    let took = began.elapsed();
    if took < Duration::from_secs(1) { Ok(()) } else { Err(format!("it took {took:?}")) }
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
            let news = subscription.published().await.unwrap_or_default();
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
