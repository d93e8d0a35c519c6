use std::time::{Duration, Instant};

use local_broker::{Broker, Installation, Options};
use tokio::task::spawn_blocking;

use super::fleet::record_one_each;
use super::{Address, Fleet, PLAIN, Writers, check};
use crate::support::{PATIENCE, eventually, within};

/// So many that every process of two or three has partitions with customers in them.
const CUSTOMERS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn another_relay_takes_over_within_2_s_of_kill_9() {
    let mut fleet = Fleet::start(Address::shared(), &[PLAIN; 2], &[PLAIN]).await;
    let customers = fleet.customers(CUSTOMERS).await;
    fleet.shared_by(2).await;
    // Each has said what it has, so both have producers.
    record_one_each(&fleet, 1, &customers).await;
    fleet.relayed(PATIENCE).await;
    let writers = Writers::start(&fleet, &customers);
    // Enough of them for what starts with the first ones, here and in the broker, to be over.
    eventually("activities are recorded", || async { (writers.acknowledged() > 1_500).then_some(()) }).await;

    fleet.activities[0].take().unwrap().program.kill();
    let died = Instant::now();
    record_one_each(&fleet, 1, &customers).await;
    let wanted = positions(&fleet).await;
    within(Duration::from_secs(2).saturating_sub(died.elapsed()), "the other publishes it all", || async {
        let reached = fleet.published().await;
        reached.iter().zip(&wanted).all(|(reached, wanted)| reached >= wanted).then_some(())
    })
    .await;
    eprintln!("another relay has published everything {:?} after a kill -9", died.elapsed());
    let noted = writers.stop().await;
    check(&fleet, &customers, &noted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_reports_take_over_within_5_s_of_kill_9() {
    let mut fleet = Fleet::start(Address::shared(), &[PLAIN], &[PLAIN; 3]).await;
    let customers = fleet.customers(CUSTOMERS).await;
    let writers = Writers::start(&fleet, &customers);
    eventually("activities are recorded", || async { (writers.acknowledged() > 300).then_some(()) }).await;
    for killed in [0, 2] {
        let reports = fleet.reports[killed].take().unwrap();
        reports.program.kill();
        let died = Instant::now();
        record_one_each(&fleet, 0, &customers).await;
        let wanted: Vec<i64> = positions(&fleet).await;
        within(Duration::from_secs(5), "the others fold all partitions", || async {
            let reached = checkpoints(&fleet).await;
            reached.iter().zip(&wanted).all(|(reached, wanted)| reached >= wanted).then_some(())
        })
        .await;
        eprintln!("the other reports have folded everything {:?} after a kill -9", died.elapsed());
    }
    let noted = writers.stop().await;
    check(&fleet, &customers, &noted).await;
}

/// The head of every partition.
async fn positions(fleet: &Fleet) -> Vec<i64> {
    sqlx::query_scalar("SELECT position FROM log_head ORDER BY partition")
        .fetch_all(fleet.log())
        .await
        .unwrap()
}

/// How far every projection of every partition has folded, at least.
async fn checkpoints(fleet: &Fleet) -> Vec<i64> {
    let folded = "SELECT min(c.position) FROM checkpoints c
                    JOIN projections p ON p.name = c.projection AND p.live_generation = c.generation
                   GROUP BY c.partition ORDER BY c.partition";
    sqlx::query_scalar(folded).fetch_all(fleet.read_models()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_everything_is_killed_at_once() {
    let broker = spawn_blocking(|| {
        let installation = Installation::ensure(&local_broker::never).unwrap();
        Broker::start(&installation, Options::default(), &local_broker::never).unwrap()
    });
    let mut broker = broker.await.unwrap();
    let address = Address { url: broker.url(), admin_url: broker.web_url() };
    let mut fleet = Fleet::start(address, &[PLAIN; 2], &[PLAIN; 2]).await;
    let customers = fleet.customers(CUSTOMERS).await;
    let writers = Writers::start(&fleet, &customers);
    eventually("activities are recorded", || async { (writers.acknowledged() > 500).then_some(()) }).await;
    // In the middle of it all.
    fleet.kill_everything();
    broker.kill();
    let before = writers.stop().await;

    // Daybook is there first, and waits for the broker.
    fleet.start_services(&[PLAIN; 2], &[PLAIN; 2]).await;
    let writers = Writers::start(&fleet, &customers);
    eventually("activities are recorded", || async { (writers.acknowledged() > 500).then_some(()) }).await;
    let broker = spawn_blocking(move || {
        broker.restart(&local_broker::never).unwrap();
        broker
    });
    let _broker = broker.await.unwrap();
    let mut noted = writers.stop().await;
    noted.sent.extend(before.sent);
    noted.acknowledged.extend(before.acknowledged);
    check(&fleet, &customers, &noted).await;
}
