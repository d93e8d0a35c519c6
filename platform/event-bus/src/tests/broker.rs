//! The Pulsar adapter against a real broker.

use url::Url;

use super::*;
use crate::pulsar::{PulsarConfig, PulsarPublisher, PulsarSubscription};
use crate::{Bus, EventSubscription, Feed, Group};

/// The tests' broker, in a namespace of this test's own.
pub(super) fn config() -> PulsarConfig {
    let address = |key: &str| -> Url {
        let url = std::env::var(key).unwrap_or_else(|_| {
            panic!("{key} is not set; `cargo xtask test` starts a broker and sets it, or name one yourself")
        });
        url.parse().unwrap()
    };
    let (url, admin) = (address("DAYBOOK_TEST_PULSAR_URL"), address("DAYBOOK_TEST_PULSAR_WEB_URL"));
    PulsarConfig {
        namespace: format!("test-{}", Uuid::now_v7().simple()),
        ..PulsarConfig::at(url, Some(admin))
    }
}

fn subject(house: &House, config: &PulsarConfig) -> Subject {
    let (log, config) = (house.log.clone(), config.clone());
    Subject {
        log: house.log.clone(),
        appender: house.appender.clone(),
        publisher: Arc::new(PulsarPublisher::new(config.clone(), Feed::Activities, log.clone())),
        subscribe: Box::new(move || {
            let group = Group::shared("conformance");
            Arc::new(PulsarSubscription::new(config.clone(), Feed::Activities, log.clone(), &group))
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pulsar_adapter_conforms() {
    let mut house = house().await;
    let config = config();
    house.relay(Arc::new(PulsarPublisher::new(config.clone(), Feed::Activities, house.log.clone())));
    conformance::all(&subject(&house, &config)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pulsar_adapter_fills_holes_from_the_log() {
    let house = house().await;
    conformance::a_hole_is_filled_from_the_log(&subject(&house, &config())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_with_another_number_of_partitions_is_refused() {
    let house = house().await;
    let bus = Bus::pulsar(config());
    bus.prepare(Feed::Activities, &house.log).await.unwrap();
    bus.prepare(Feed::Activities, &house.log).await.unwrap();
    let other = ScratchDatabase::migrated("activities").await;
    let log = EventLog::open(other.pool().clone(), Partitions::new(5).unwrap()).await.unwrap();
    let error = bus.prepare(Feed::Activities, &log).await.unwrap_err();
    assert!(matches!(error, BusError::Refused(_)), "{error}");
    assert!(error.to_string().contains("has 4 partitions and the log has 5"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_nobody_may_make_is_refused_with_what_to_do() {
    let house = house().await;
    let config = PulsarConfig { admin_url: None, ..config() };
    let error =
        PulsarPublisher::new(config, Feed::Activities, house.log.clone()).prepare().await.unwrap_err();
    let text = error.to_string();
    // A broker says of a topic in a namespace that is not there that it is not found.
    assert!(text.contains("DAYBOOK_PULSAR_ADMIN_URL") || matches!(error, BusError::Broker(_)), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_told_and_is_no_reason_not_to_start() {
    let house = house().await;
    let nowhere = PulsarConfig::at("pulsar://127.0.0.1:1".parse().unwrap(), None);
    Bus::pulsar(nowhere.clone()).prepare(Feed::Activities, &house.log).await.unwrap();
    let group = Group::alone("test");
    let subscription = PulsarSubscription::new(nowhere, Feed::Activities, house.log.clone(), &group);
    let told = tokio::time::timeout(Duration::from_secs(10), subscription.published()).await.unwrap();
    assert!(matches!(told, Err(BusError::Broker(_))), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_through_the_broker_and_not_only_from_the_log() {
    let mut house = house().await;
    let config = config();
    let copied = Copied::empty().await;
    let group = Group::shared("travelled");
    let subscription = PulsarSubscription::new(config.clone(), Feed::Activities, copied.log.clone(), &group);
    // It says so when all of its readers are connected, by the first look at its log.
    let connected = async { while subscription.published().await.is_err() {} };
    tokio::time::timeout(PATIENCE, connected).await.unwrap();
    house.relay(Arc::new(PulsarPublisher::new(config, Feed::Activities, house.log.clone())));
    let customer = CustomerId(Uuid::now_v7());
    let partition = house.log.partitions().of(customer);
    house.append_many(customer, 200).await;
    copied.fill(&house.log, partition).await;
    let mut positions: Vec<i64> = Vec::new();
    let receiving = async {
        while positions.len() < 200 {
            let _ = subscription.published().await;
            let after = positions.last().copied().unwrap_or(0);
            let events = subscription.fetch(partition, after, 64).await.unwrap();
            assert!(events.iter().all(|event| event.metadata.as_str() != COPIED), "it was read from the log");
            positions.extend(events.iter().map(|event| event.position));
            subscription.acknowledge(partition, after).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, receiving).await.unwrap();
    assert_eq!(positions, (1..=200).collect::<Vec<i64>>());
}
