use std::time::{Duration, Instant};

use super::{Address, Fleet, PLAIN, Proxy, Writers, check};
use crate::support::{eventually, within};

const CUT: Duration = Duration::from_secs(30);
/// The relay tries again at least every 5 s.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_cut_for_30_s_between_relay_and_broker_loses_nothing() {
    let broker = Address::shared();
    let proxy = Proxy::start(&broker.url).await;
    // Reports reaches the broker directly; the only relay does not.
    let fleet = Fleet::start(broker, &[&[("DAYBOOK_PULSAR_URL", &proxy.url)]], &[PLAIN]).await;
    let customers = fleet.customers(6).await;
    let writers = Writers::start(&fleet, &customers);
    eventually("activities are recorded", || async { (writers.acknowledged() > 100).then_some(()) }).await;
    let relay = fleet.activities[0].as_ref().unwrap();
    let published = || Fleet::metric(relay, "daybook_relay_published_total");
    eventually("they are published", || async { (published().await > 100.0).then_some(()) }).await;

    let (began, before) = (Instant::now(), writers.acknowledged());
    proxy.silence();
    let backlog = || Fleet::metric(relay, "daybook_relay_backlog_events");
    tokio::time::sleep_until((began + CUT / 2).into()).await;
    proxy.cut();
    tokio::time::sleep_until((began + CUT).into()).await;
    let during = writers.acknowledged() - before;
    assert!(during > 1_000, "only {during} activities were recorded while the broker was out of reach");
    // Everything since then waits, and whoever looks sees it.
    let shown = eventually("all that waits is counted", || async {
        let shown = backlog().await;
        (shown > during as f64 / 2.0).then_some(shown)
    })
    .await;
    proxy.mend();
    // By itself, and while more comes.
    within(CATCH_UP_LIMIT, "the relay catches up", || async {
        (backlog().await < shown / 10.0).then_some(())
    })
    .await;
    let noted = writers.stop().await;
    check(&fleet, &customers, &noted).await;
}
