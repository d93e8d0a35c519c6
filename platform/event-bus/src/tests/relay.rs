//! Relays that share the partitions of a log.

use std::collections::BTreeSet;
use std::time::Instant;

use tokio::runtime::Runtime;

use super::*;

impl Noting {
    fn partitions(&self) -> BTreeSet<Partition> {
        self.spans.lock().unwrap().keys().copied().collect()
    }
}

/// A customer in each partition.
fn customers(log: &EventLog) -> Vec<CustomerId> {
    let mut found: BTreeMap<Partition, CustomerId> = BTreeMap::new();
    while found.len() < usize::from(log.partitions().count()) {
        let customer = CustomerId(Uuid::new_v4());
        found.entry(log.partitions().of(customer)).or_insert(customer);
    }
    found.into_values().collect()
}

/// A relay in a process of its own, as far as the database can tell: when the runtime goes, its connections break off
/// without a word, as after kill -9.
fn process(url: &str, publisher: Arc<Noting>) -> Runtime {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let pool = sqlx::PgPool::connect(url).await.unwrap();
        let log = EventLog::open_existing(pool).await.unwrap();
        let mut tasks = JoinSet::new();
        let commits = tokio::sync::watch::Sender::new(());
        Relay::start(log, publisher, commits.subscribe(), &mut tasks, CancellationToken::new());
        tokio::spawn(async move {
            let _commits = commits;
            tasks.join_all().await;
        });
    });
    runtime
}

async fn started(house: &House, publisher: &Arc<Noting>) -> Runtime {
    let (url, publisher) = (house.database.url(), Arc::clone(publisher));
    tokio::task::spawn_blocking(move || process(&url, publisher)).await.unwrap()
}

async fn append_to_all(house: &House, customers: &[CustomerId]) {
    for customer in customers {
        house.append(*customer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_partitions_and_one_takes_over_within_2_s() {
    let house = house().await;
    let customers = customers(&house.log);
    let (first, second) = (Arc::new(Noting::default()), Arc::new(Noting::default()));
    let one = started(&house, &first).await;
    append_to_all(&house, &customers).await;
    eventually("one relay alone takes all", || first.partitions().len() == 4).await;
    let two = started(&house, &second).await;
    eventually_while(
        "both have their share",
        || second.partitions().len() == 2,
        || append_to_all(&house, &customers),
    )
    .await;

    one.shutdown_background();
    let died = Instant::now();
    append_to_all(&house, &customers).await;
    eventually("the other takes over", || second.partitions().len() == 4).await;
    let took = died.elapsed();
    assert!(took < Duration::from_secs(2), "it took {took:?}");
    for partition in house.log.partitions().all() {
        let spans =
            |noting: &Noting| noting.spans.lock().unwrap().get(&partition).cloned().unwrap_or_default();
        let mut all = [spans(&first), spans(&second)].concat();
        all.sort_unstable();
        let mut reached = 0;
        for (after, to) in all {
            assert!(after <= reached, "partition {partition} has a hole after {reached}");
            reached = reached.max(to);
        }
    }
    two.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_backend_is_ended_goes_on() {
    let mut house = house().await;
    let publisher = Arc::new(Noting::default());
    house.relay(Arc::clone(&publisher) as Arc<dyn EventPublisher>);
    let customer = CustomerId(Uuid::now_v7());
    let partition = house.log.partitions().of(customer);
    house.append(customer).await;
    eventually("it publishes", || publisher.reached(partition) == 1).await;
    let ended: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_locks
           WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           GROUP BY pid) AS ended",
    )
    .fetch_one(house.log.pool())
    .await
    .unwrap();
    assert!(ended >= 1);
    house.append(customer).await;
    eventually("it goes on", || publisher.reached(partition) == 2).await;
}
