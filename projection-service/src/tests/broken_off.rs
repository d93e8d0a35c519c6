//! The fold, seals, merges, ends, rebuilds and swaps are broken off at every statement, and nothing is lost or doubled.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use domain::CustomerId;
use domain::activity::ActivityEvent;

use super::columns::{SIZES, standing};
use super::house::{House, content, customer, eventually};
use crate::fold::{Folder, Page, lock_live, prepare};
use crate::store::{GenerationPartition, merge_customer};
use crate::view::Moment;
use crate::{Differences, RebuildError, RebuildOptions, rebuild};

/// Drops a future after it was polled this number of times. Most statements take one poll, so each number interrupts it at
/// another statement.
async fn broken_off<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn history(house: &House, customer: CustomerId, activities: u32) {
    for number in 0..activities {
        let time = format!("2026-03-{:02}T10:00:00Z", number * 7 % 28 + 1);
        let actor = format!("actor {}", number % 5);
        house.record(customer, &number.to_string(), content("page.viewed", &actor, &time)).await;
        if number % 3 == 2 {
            house.correct(customer, &(number - 2).to_string(), |content| content.value = Some(0.5)).await;
        }
        if number % 10 == 9 {
            house.redact(customer, &(number / 2).to_string()).await;
        }
    }
}

/// The first and the last position of every activity that stands, as the log says.
async fn naive(house: &House, customer: CustomerId) -> Vec<(i64, i64)> {
    let mut standing: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let events = house.log.read(house.partition(customer), 0, 5_000).await.unwrap();
    for event in events.into_iter().filter(|event| event.customer_id == customer) {
        match event.decode::<ActivityEvent>().unwrap() {
            ActivityEvent::ActivityRecorded(_) => {
                standing.insert(event.aggregate_id, (event.position, event.position));
            }
            ActivityEvent::ActivityCorrected(_) => {
                standing.get_mut(&event.aggregate_id).unwrap().1 = event.position;
            }
            ActivityEvent::ActivityRedacted(_) => {
                standing.remove(&event.aggregate_id);
            }
        }
    }
    let mut rows: Vec<(i64, i64)> = standing.into_values().collect();
    rows.sort_unstable();
    rows
}

/// Folds a page. Returns whether there was one.
async fn step(house: &House, folder: &Folder, customer: CustomerId) -> bool {
    let partition = house.partition(customer);
    let mut transaction = house.pool().begin().await.unwrap();
    prepare(&mut transaction).await.unwrap();
    let mut target = lock_live(&mut transaction, partition).await.unwrap().unwrap();
    let events = house.log.read(partition, target.position, 7).await.unwrap();
    Page::decode(&events).fold(&mut transaction, folder, &mut target).await.unwrap();
    transaction.commit().await.unwrap();
    folder.committed(&mut target);
    !events.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fold_and_a_merge_that_are_broken_off_anywhere_lose_and_double_nothing() {
    let house = House::empty().await;
    house.reports(60_000).await.stop().await;
    let customer = customer();
    history(&house, customer, 60).await;
    let folder = Folder::new(house.log.clone(), SIZES);
    let place = GenerationPartition { generation: 1, partition: i32::from(house.partition(customer).0) };
    let (mut broken, mut page) = (0, 0);
    loop {
        // Each page begins at another number, so that all of them have been at every statement.
        let mut polls = page % 7;
        let more = loop {
            if let Some(more) = broken_off(step(&house, &folder, customer), polls).await {
                break more;
            }
            (broken, polls) = (broken + 1, polls + 7);
        };
        let mut polls = page % 7;
        while broken_off(merge_customer(house.pool(), place, customer.0, SIZES), polls).await.is_none() {
            (broken, polls) = (broken + 1, polls + 7);
        }
        page += 1;
        if !more {
            break;
        }
    }
    while merge_customer(house.pool(), place, customer.0, SIZES).await.unwrap() {}
    assert!(broken > 40, "only {broken} were broken off");
    assert_eq!(standing(&house, customer, Moment::Now).await, naive(&house, customer).await);
    let options = RebuildOptions { verify: true, parallel: 1, load_max: None };
    let rebuilt = rebuild(house.pool(), &house.log, options, |_| {}).await.unwrap();
    assert_eq!(rebuilt.differences, Some(Differences::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_broken_off_anywhere_loses_and_doubles_nothing() {
    let (house, reports) = House::start().await;
    let customers = [customer(), customer()];
    for customer in customers {
        history(&house, customer, 30).await;
    }
    house.folded().await;
    let options = RebuildOptions { verify: true, parallel: 2, load_max: None };
    let (mut polls, mut broken) = (0, 0);
    let rebuilt = loop {
        let rebuilding = rebuild(house.pool(), &house.log, options.clone(), |_| {});
        match broken_off(rebuilding, polls).await {
            None => (broken, polls) = (broken + 1, polls + 4),
            // The one before still holds the right to rebuild.
            Some(Err(RebuildError::Busy)) => tokio::time::sleep(Duration::from_millis(5)).await,
            Some(outcome) => break outcome.unwrap(),
        }
        for customer in customers {
            assert_eq!(standing(&house, customer, Moment::Now).await, naive(&house, customer).await);
        }
    };
    assert!(broken > 10, "only {broken} were broken off");
    assert_eq!(rebuilt.differences, Some(Differences::default()));
    for customer in customers {
        assert_eq!(standing(&house, customer, Moment::Now).await, naive(&house, customer).await);
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_end_at_any_moment_lose_and_double_nothing() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let done = AtomicBool::new(false);
    let ending = async {
        let mut ended = 0_i64;
        while !done.load(Ordering::SeqCst) {
            ended += sqlx::query_scalar::<_, i64>(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
                    AND application_name = 'daybook-reports'",
            )
            .fetch_one(house.pool())
            .await
            .unwrap();
        }
        ended
    };
    let writing = async {
        history(&house, customer, 120).await;
        done.store(true, Ordering::SeqCst);
    };
    let (ended, ()) = tokio::join!(ending, writing);
    assert!(ended > 0, "no connection was ended");
    house.folded().await;
    eventually("every job has ended", async || crate::jobs(house.pool()).await.unwrap().is_empty()).await;
    assert_eq!(standing(&house, customer, Moment::Now).await, naive(&house, customer).await);
    reports.stop().await;
}
