use std::collections::BTreeMap;

use local_broker::{Broker, Installation, Options};
use tokio::task::spawn_blocking;

use super::checker::check_from;
use super::{Address, Fleet, PLAIN, Writers};
use crate::support::{eventually, http};

const CUSTOMERS: usize = 12;
/// What is recorded at least between two blows.
const MORE: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_broker_dies_is_full_or_forgets_everything() {
    let broker = with(|| {
        let installation = Installation::ensure(&local_broker::never).unwrap();
        Broker::start(&installation, Options::default(), &local_broker::never).unwrap()
    });
    let mut broker = broker.await;
    let address = Address { url: broker.url(), admin_url: broker.web_url() };
    let fleet = Fleet::start(address, &[PLAIN; 2], &[PLAIN; 2]).await;
    let customers = fleet.customers(CUSTOMERS).await;
    let writers = Writers::start(&fleet, &customers);
    record_more(&writers).await;

    broker.kill();
    record_more(&writers).await;
    broker = with(move || restarted(broker)).await;
    record_more(&writers).await;

    let topic = format!("persistent/public/{}/daybook.activities.v1", fleet.namespace);
    let url = format!("{}/admin/v2/{topic}/partitions?force=true", fleet.broker.admin_url);
    let deleted = http().delete(url).send().await.unwrap();
    assert!(deleted.status().is_success(), "{deleted:?}");
    record_more(&writers).await;

    broker.fill_disk().unwrap();
    record_more(&writers).await;

    broker.kill();
    broker.wipe().unwrap();
    // What was published before is in no topic any more; it was folded, or is read from the log.
    let lost_to: Vec<(i32, i64)> =
        sqlx::query_as("SELECT partition, position FROM log_head").fetch_all(fleet.log()).await.unwrap();
    record_more(&writers).await;
    let _broker = with(move || restarted(broker)).await;
    record_more(&writers).await;

    let noted = writers.stop().await;
    check_from(&fleet, &customers, &noted, &BTreeMap::from_iter(lost_to)).await;
}

/// Activities are recorded whatever becomes of the broker.
async fn record_more(writers: &Writers) {
    let before = writers.acknowledged();
    eventually("more is recorded", || async { (writers.acknowledged() > before + MORE).then_some(()) }).await;
}

fn restarted(mut broker: Broker) -> Broker {
    broker.restart(&local_broker::never).unwrap();
    broker
}

/// Brokers start and stop in their own time.
async fn with<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(what).await.unwrap()
}
