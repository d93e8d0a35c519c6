use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::{CustomerId, Partition};
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::subject::{PARTITIONS, Subject, append, customer_in};
use crate::{Append, AppendError, Appended, EventLog};

/// What one writer does next.
#[derive(Clone, Debug)]
enum Step {
    /// Appends to streams; few of them, so that writers meet. Each: customer, stream, first sequence, events.
    Append(Vec<(u16, u8, i64, usize)>),
    /// The same, and goes away after so many microseconds.
    Cancelled(Vec<(u16, u8, i64, usize)>, u64),
    /// A transaction that appends and fails.
    Failed(u16, u8),
    /// The appenders lose' connections.
    Kill,
    /// Waits so many microseconds.
    Pause(u64),
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let one = || (0..PARTITIONS, 0..40u8, 1..3i64, 1..4usize);
    // All appends of a call are of one customer.
    let call = || {
        (0..PARTITIONS, proptest::collection::vec(one(), 1..12)).prop_map(|(customer, many)| {
            many.into_iter().map(|(_, s, q, n)| (customer, s, q, n)).collect::<Vec<_>>()
        })
    };
    let step = prop_oneof![
        8 => call().prop_map(Step::Append),
        3 => (call(), 0..4_000u64).prop_map(|(call, after)| Step::Cancelled(call, after)),
        1 => (0..PARTITIONS, 0..40u8).prop_map(|(customer, stream)| Step::Failed(customer, stream)),
        1 => Just(Step::Kill),
        2 => (0..3_000u64).prop_map(Step::Pause),
    ];
    proptest::collection::vec(proptest::collection::vec(step, 1..14), 2..10)
}

/// What became of what the writers appended.
#[derive(Default)]
struct Outcomes {
    stored: HashMap<Uuid, (Partition, i64)>,
    conflicts: BTreeSet<Uuid>,
    /// Cancelled or answered with an error: stored once or not at all.
    unknown: BTreeSet<Uuid>,
}

impl Outcomes {
    fn note(&mut self, call: &[Append], outcomes: Result<Vec<Appended>, AppendError>) {
        let Ok(outcomes) = outcomes else {
            self.unknown.extend(call.iter().flat_map(|append| &append.events).map(|event| event.event_id));
            return;
        };
        for (append, outcome) in call.iter().zip(outcomes) {
            for (offset, event) in (0..).zip(&append.events) {
                match outcome {
                    Appended::Stored { position, .. } => {
                        self.stored.insert(event.event_id, (append.partition, position + offset));
                    }
                    Appended::Conflict => {
                        self.conflicts.insert(event.event_id);
                    }
                }
            }
        }
    }
}

async fn write(subject: Arc<Subject>, customers: Arc<Vec<CustomerId>>, steps: Vec<Step>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let make = |call: &[(u16, u8, i64, usize)]| -> Vec<Append> {
        call.iter().map(|(c, s, q, n)| append(customers[usize::from(*c)], &s.to_string(), *q, *n)).collect()
    };
    for step in steps {
        match step {
            Step::Append(call) => {
                let call = make(&call);
                outcomes.note(&call, subject.appender.append(call.clone()).await);
            }
            Step::Cancelled(call, after) => {
                let call = make(&call);
                let outcome =
                    tokio::time::timeout(Duration::from_micros(after), subject.appender.append(call.clone()))
                        .await;
                outcomes.note(&call, outcome.unwrap_or(Err(AppendError::QueueFull)));
            }
            Step::Failed(customer, stream) => {
                let unit = append(customers[usize::from(customer)], &stream.to_string(), 1, 1);
                let mut transaction = subject.database.pool().begin().await.unwrap();
                // It may meet a conflict, and the transaction is broken then (SQLSTATE 25P02); it may lose a deadlock to none:
                // one partition, one lock.
                if let Err(error) = crate::append_events(&mut transaction, &[&unit]).await {
                    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
                    assert_eq!(code.as_deref(), Some("25P02"), "{error}");
                }
                transaction.rollback().await.unwrap();
            }
            Step::Kill => subject.kill_appenders().await,
            Step::Pause(micros) => tokio::time::sleep(Duration::from_micros(micros)).await,
        }
    }
    outcomes
}

/// Reads by position all the while; must see every event once, in order, and never skip one.
async fn tail(log: EventLog, partition: Partition, ended: CancellationToken) -> Vec<Uuid> {
    let mut seen = Vec::new();
    loop {
        let last_round = ended.is_cancelled();
        let events = log.read(partition, seen.len() as i64, 50).await.unwrap();
        if events.is_empty() && last_round {
            return seen;
        }
        for event in events {
            assert_eq!(event.position, seen.len() as i64 + 1, "the tail skipped an event");
            seen.push(event.event_id);
        }
        tokio::task::yield_now().await;
    }
}

async fn check(steps: Vec<Vec<Step>>) {
    let subject = Arc::new(Subject::start().await);
    let customers: Arc<Vec<CustomerId>> = Arc::new((0..PARTITIONS).map(customer_in).collect());
    let ended = CancellationToken::new();
    let tails: Vec<_> = (0..PARTITIONS)
        .map(|partition| tokio::spawn(tail(subject.log.clone(), Partition(partition), ended.clone())))
        .collect();
    let mut writers = JoinSet::new();
    for steps in steps {
        writers.spawn(write(Arc::clone(&subject), Arc::clone(&customers), steps));
    }
    let mut outcomes = Outcomes::default();
    for one in writers.join_all().await {
        outcomes.stored.extend(one.stored);
        outcomes.conflicts.extend(one.conflicts);
        outcomes.unknown.extend(one.unknown);
    }
    // Something appended now is committed after everything that was queued before.
    for partition in 0..PARTITIONS {
        subject.appender.append(vec![append(customer_in(partition), "last", 1, 1)]).await.unwrap();
    }
    ended.cancel();

    let all = subject.dense().await;
    let places: BTreeMap<Uuid, (Partition, i64)> =
        all.iter().map(|(place, event)| (event.event_id, *place)).collect();
    assert_eq!(places.len(), all.len(), "an event was stored twice");
    for (event, place) in &outcomes.stored {
        assert_eq!(places.get(event), Some(place), "what was acknowledged is not where it was said to be");
    }
    assert!(
        outcomes.conflicts.iter().all(|event| !places.contains_key(event)),
        "what met a conflict was stored"
    );
    let streams: BTreeSet<(&str, i64)> =
        all.values().map(|e| (e.aggregate_id.as_str(), e.sequence)).collect();
    assert_eq!(streams.len(), all.len(), "a stream has a sequence twice");
    let explained =
        outcomes.stored.len() + outcomes.unknown.iter().filter(|event| places.contains_key(event)).count();
    assert_eq!(all.len(), explained + usize::from(PARTITIONS), "something was stored that was not appended");
    for (partition, tail) in (0..PARTITIONS).zip(tails) {
        let stored: Vec<Uuid> =
            all.iter().filter(|((p, _), _)| p.0 == partition).map(|(_, event)| event.event_id).collect();
        assert_eq!(tail.await.unwrap(), stored, "the tail of partition {partition} saw something else");
    }
}

proptest! {
    // Each case is some hundred transactions against a server; 256 would take minutes and find nothing more.
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_leaves_dense_positions_and_true_answers(steps in steps()) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(check(steps));
    }
}
