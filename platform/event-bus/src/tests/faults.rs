//! What can go wrong between the relay and a consumer, with a broker of the test's own, and a checker that compares what
//! was appended, the log and what was received.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use local_broker::{Broker, Installation, Options};
use tokio::task::spawn_blocking;

use super::*;
use crate::pulsar::{PulsarConfig, PulsarPublisher, PulsarSubscription};
use crate::{EventSubscription, Feed, Group};

/// Positions and ids, in the order in which they came.
type Seen = BTreeMap<Partition, Vec<(i64, Uuid)>>;

/// Consumes every partition, as reports do: a checkpoint, and never back.
struct Consumer {
    seen: Arc<Mutex<Seen>>,
    interruptions: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Consumer {
    fn start(config: &PulsarConfig, log: &EventLog, group: &Group) -> Self {
        let subscription = PulsarSubscription::new(config.clone(), Feed::Activities, log.clone(), group);
        let (seen, interruptions) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(AtomicUsize::new(0)));
        let (noting, counting) = (Arc::clone(&seen), Arc::clone(&interruptions));
        let task = tokio::spawn(async move {
            loop {
                let Ok(news) = subscription.published().await else {
                    counting.fetch_add(1, Ordering::SeqCst);
                    continue;
                };
                for published in news {
                    loop {
                        let partition = published.partition;
                        let after = {
                            let mut seen = noting.lock().unwrap();
                            let seen: &mut Vec<(i64, Uuid)> = seen.entry(partition).or_default();
                            seen.last().map_or(0, |(position, _)| *position)
                        };
                        let events = subscription.fetch(partition, after, 500).await.unwrap();
                        let Some(last) = events.last() else { break };
                        let (last, ids) =
                            (last.position, events.iter().map(|event| (event.position, event.event_id)));
                        noting.lock().unwrap().entry(partition).or_default().extend(ids);
                        subscription.acknowledge(partition, last).await.unwrap();
                    }
                }
            }
        });
        Self { seen, interruptions, task }
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().values().map(Vec::len).sum()
    }
}

/// Compares what a consumer saw with the log: each event once, in order, nothing else.
async fn check(house: &House, consumer: &Consumer) {
    for partition in house.log.partitions().all() {
        let mut stored = Vec::new();
        while let Some(page) = Some(house.log.read(partition, stored.len() as i64, 5_000).await.unwrap())
            && !page.is_empty()
        {
            stored.extend(page.into_iter().map(|event| (event.position, event.event_id)));
        }
        let seen = consumer.seen.lock().unwrap().get(&partition).cloned().unwrap_or_default();
        assert_eq!(seen.len(), stored.len(), "partition {partition}");
        assert_eq!(seen, stored, "partition {partition}");
    }
}

struct Ground {
    house: House,
    broker: Broker,
    config: PulsarConfig,
    customers: Vec<CustomerId>,
    appended: usize,
}

impl Ground {
    async fn new() -> Self {
        let mut house = house().await;
        let broker = spawn_blocking(move || {
            let installation = Installation::ensure(&local_broker::never).unwrap();
            Broker::start(&installation, Options::default(), &local_broker::never).unwrap()
        });
        let broker = broker.await.unwrap();
        let config = PulsarConfig::at(broker.url().parse().unwrap(), Some(broker.web_url().parse().unwrap()));
        house.relay(Arc::new(PulsarPublisher::new(config.clone(), Feed::Activities, house.log.clone())));
        let customers = (0..12).map(|_| CustomerId(Uuid::new_v4())).collect();
        Self { house, broker, config, customers, appended: 0 }
    }

    async fn append(&mut self, each: usize) {
        for customer in &self.customers {
            self.house.append_many(*customer, each).await;
            self.appended += each;
        }
    }

    async fn arrives(&self, what: &str, consumers: &[&Consumer]) {
        for consumer in consumers {
            let arriving = async {
                while consumer.count() < self.appended {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let arrived = tokio::time::timeout(Duration::from_mins(1), arriving).await;
            assert!(arrived.is_ok(), "{what}: {} of {} arrived", consumer.count(), self.appended);
            check(&self.house, consumer).await;
        }
    }

    async fn broker(mut self, what: impl FnOnce(&mut Broker) + Send + 'static) -> Self {
        let mut broker = self.broker;
        self.broker = spawn_blocking(move || {
            what(&mut broker);
            broker
        })
        .await
        .unwrap();
        self
    }

    /// Waits until the broker says that it is not well, or nothing.
    async fn falls_ill(&self) {
        let url = self.config.admin_url.as_ref().unwrap();
        let admin = crate::pulsar::Admin { config: &self.config, url };
        let falling = async {
            // To know, it sends itself a message.
            while let Ok(answer) = admin.ask(http::Method::GET, "/admin/v2/brokers/health", None).await
                && answer.status.is_success()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), falling).await.expect("the broker stays well");
    }

    async fn admin(&self, method: http::Method, path: &str) -> http::StatusCode {
        let url = self.config.admin_url.as_ref().unwrap();
        let admin = crate::pulsar::Admin { config: &self.config, url };
        admin.ask(method, path, None).await.unwrap().status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_comes_twice_whatever_happens_to_the_broker() {
    let mut ground = Ground::new().await;
    // Under one name, so that the broker gives a partition to one of them; each must see everything all the same.
    let group = Group::shared("reports");
    let first = Consumer::start(&ground.config, &ground.house.log, &group);
    let second = Consumer::start(&ground.config, &ground.house.log, &group);
    ground.append(50).await;
    ground.arrives("the same partitions, claimed by two", &[&first, &second]).await;

    let before = first.interruptions.load(Ordering::SeqCst);
    // As when the network swallows every packet: nothing moves either way, and nobody is told.
    ground.broker.freeze();
    ground.append(50).await;
    eventually("the silence is noticed", || first.interruptions.load(Ordering::SeqCst) > before).await;
    ground.append(50).await;
    ground.broker.thaw();
    ground.arrives("a broker that stood still", &[&first, &second]).await;

    // One of the two dies; the other has all partitions.
    second.task.abort();
    ground.append(50).await;
    let mut ground = ground.broker(Broker::kill).await;
    ground.append(50).await;
    let mut ground = ground.broker(|broker| broker.restart(&local_broker::never).unwrap()).await;
    ground.append(50).await;
    ground.arrives("a broker that was killed", &[&first]).await;

    ground.broker.fill_disk().unwrap();
    ground.append(50).await;
    ground.falls_ill().await;
    ground.append(50).await;
    assert!(first.count() < ground.appended, "a broker that cannot write published everything");
    let mut ground = ground.broker(|broker| broker.restart(&local_broker::never).unwrap()).await;
    ground.append(50).await;
    ground.arrives("a broker whose disk was full", &[&first]).await;

    let path = "/admin/v2/persistent/public/default/daybook.activities.v1/partitions?force=true";
    assert!(ground.admin(http::Method::DELETE, path).await.is_success());
    ground.append(50).await;
    ground.arrives("a topic that was deleted", &[&first]).await;
    ground.append(50).await;
    ground.arrives("a topic that was made again", &[&first]).await;

    let mut ground = ground
        .broker(|broker| {
            broker.kill();
            broker.wipe().unwrap();
        })
        .await;
    ground.append(50).await;
    let mut ground = ground.broker(|broker| broker.restart(&local_broker::never).unwrap()).await;
    ground.append(50).await;
    ground.arrives("a broker whose disk is empty", &[&first]).await;

    // Who comes new finds everything, though the broker has forgotten most of it.
    let late = Consumer::start(&ground.config, &ground.house.log, &Group::alone("late"));
    ground.arrives("a late consumer", &[&late]).await;
    let partitions: BTreeSet<Partition> = first.seen.lock().unwrap().keys().copied().collect();
    assert!(partitions.len() > 1);
}
