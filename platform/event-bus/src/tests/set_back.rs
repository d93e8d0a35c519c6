//! A log that was set back to a backup, and has gone on.

use sqlx::Executor;

use super::*;
use crate::pulsar::{PulsarPublisher, PulsarSubscription};
use crate::{Carried, EventSubscription, Feed, Group, relay_status, reset_relay};

impl House {
    /// As the restore of an older backup does, for which the triggers do not exist. What the relay notes is restored too,
    /// unless only the events are.
    async fn set_back(&self, partition: Partition, to: i64, with_relay: bool) {
        let mut connection = self.database.pool().acquire().await.unwrap();
        connection.execute("SET session_replication_role = replica").await.unwrap();
        let statements = [
            "DELETE FROM events WHERE partition = $1 AND position > $2",
            "UPDATE log_head SET position = $2 WHERE partition = $1",
            "UPDATE relay_position SET position = $2, log_id = NULL, event_position = NULL, event_id = NULL,
                    recorded_at = NULL WHERE partition = $1",
        ];
        for statement in statements.iter().take(if with_relay { 3 } else { 2 }) {
            sqlx::query(statement)
                .bind(i32::from(partition.0))
                .bind(to)
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        connection.execute("SET session_replication_role = DEFAULT").await.unwrap();
    }

    /// Waits until the relay has noted how far it is.
    async fn notes(&self, partition: Partition, position: i64) {
        let is_noted = async || {
            let status = relay_status(&self.log).await.unwrap();
            status.into_iter().any(|status| status.partition == partition && status.position == position)
        };
        let waiting = async {
            while !is_noted().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the relay never came that far");
    }

    async fn stopped(&self, partition: Partition) -> Option<String> {
        let status = relay_status(&self.log).await.unwrap();
        status.into_iter().find(|status| status.partition == partition).unwrap().stopped
    }

    async fn stops(&self, partition: Partition) -> String {
        let stopping = async {
            loop {
                let noted: Option<String> =
                    sqlx::query_scalar("SELECT stopped_because FROM relay_position WHERE partition = $1")
                        .bind(i32::from(partition.0))
                        .fetch_one(self.database.pool())
                        .await
                        .unwrap();
                match noted {
                    Some(reason) => return reason,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, stopping).await.expect("the relay never stopped")
    }
}

/// A customer, and another one in another partition.
fn two(log: &EventLog) -> [(CustomerId, Partition); 2] {
    let first = CustomerId(Uuid::now_v7());
    let other = std::iter::repeat_with(|| CustomerId(Uuid::new_v4()))
        .find(|other| log.partitions().of(*other) != log.partitions().of(first))
        .unwrap();
    [first, other].map(|customer| (customer, log.partitions().of(customer)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_relay_stops_a_partition_that_was_set_back_and_goes_on_with_the_others() {
    let mut house = house().await;
    let publisher = Arc::new(Noting::default());
    house.relay(Arc::clone(&publisher) as Arc<dyn EventPublisher>);
    let [(customer, partition), (other, others)] = two(&house.log);
    house.append_many(customer, 5).await;
    eventually("it publishes", || publisher.reached(partition) == 5).await;
    house.notes(partition, 5).await;
    house.set_back(partition, 3, false).await;
    house.append_many(customer, 4).await;
    let reason = house.stops(partition).await;
    assert!(reason.contains("position 5"), "{reason}");
    assert_eq!(house.stopped(partition).await, Some(reason));
    house.append(other).await;
    eventually("the others go on", || publisher.reached(others) == 1).await;
    assert_eq!(publisher.reached(partition), 5, "it has published second events of the same positions");

    let error = reset_relay(&house.log, &[], None).await.unwrap_err().to_string();
    assert!(error.contains("--from"), "{error}");
    let error = reset_relay(&house.log, &[others], None).await.unwrap_err().to_string();
    assert!(error.contains("stop it first"), "{error}");
    assert_eq!(reset_relay(&house.log, &[], Some(3)).await.unwrap(), [(partition, 3)]);
    eventually("it goes on with the log as it is", || publisher.reached(partition) == 7).await;
    assert!(publisher.spans.lock().unwrap()[&partition].contains(&(3, 7)));
    assert_eq!(house.stopped(partition).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_has_published_is_gone_on_with() {
    let mut house = house().await;
    let publisher = Arc::new(Noting::default());
    let stop = house.relay(Arc::clone(&publisher) as Arc<dyn EventPublisher>);
    let [(customer, partition), _] = two(&house.log);
    house.append_many(customer, 2).await;
    eventually("it publishes", || publisher.reached(partition) == 2).await;
    stop.cancel();
    house.append_many(customer, 2).await;
    // It moves the position, and knows no more.
    sqlx::query("UPDATE relay_position SET position = 3 WHERE partition = $1")
        .bind(i32::from(partition.0))
        .execute(house.database.pool())
        .await
        .unwrap();
    house.relay(Arc::clone(&publisher) as Arc<dyn EventPublisher>);
    eventually("it goes on", || publisher.reached(partition) == 4).await;
    assert_eq!(house.stopped(partition).await, None);
}

/// A bus that holds one event that the log may have or not.
struct Holding {
    noting: Arc<Noting>,
    last: Mutex<Option<(Partition, Carried)>>,
}

#[async_trait]
impl EventPublisher for Holding {
    async fn publish(&self, partition: Partition, after: i64, to: i64) -> Result<i64, BusError> {
        self.noting.publish(partition, after, to).await
    }

    async fn last(&self, partition: Partition) -> Result<Option<Carried>, BusError> {
        let last = *self.last.lock().unwrap();
        Ok(last.filter(|(held, _)| *held == partition).map(|(_, last)| last))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_starts_on_a_log_that_is_behind_the_bus_stops_before_it_publishes() {
    let mut house = house().await;
    let [(customer, partition), _] = two(&house.log);
    house.append_many(customer, 5).await;
    let stamp = house.log.stamp(partition, 5).await.unwrap();
    let last = Carried { position: 5, event_id: stamp.event_id, recorded_at: stamp.recorded_at };
    // The whole database is set back, with what the relay has noted, and one event is written.
    house.set_back(partition, 3, true).await;
    house.append(customer).await;
    let noting = Arc::new(Noting::default());
    let bus = Holding { noting: Arc::clone(&noting), last: Mutex::new(Some((partition, last))) };
    house.relay(Arc::new(bus));
    let reason = house.stops(partition).await;
    assert!(reason.contains("the log ends before") && reason.contains("position 5"), "{reason}");
    assert_eq!(noting.reached(partition), 0);
    assert_eq!(reset_relay(&house.log, &[], None).await.unwrap(), [(partition, 3)]);
    eventually("it goes on with the log as it is", || noting.reached(partition) == 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_ahead_of_the_log_stops_the_relay_and_its_messages_are_not_handed_on() {
    let mut house = house().await;
    let config = broker::config();
    let publisher = || {
        Arc::new(PulsarPublisher::new(config.clone(), Feed::Activities, house.log.clone()))
            as Arc<dyn EventPublisher>
    };
    let [(customer, partition), _] = two(&house.log);
    let (first, second) = (publisher(), publisher());
    assert_eq!(first.last(partition).await.unwrap(), None);
    let group = Group::shared("set-back");
    let subscription = PulsarSubscription::new(config.clone(), Feed::Activities, house.log.clone(), &group);
    eventually_heard(&subscription).await;
    house.append_many(customer, 300).await;
    assert_eq!(first.publish(partition, 0, 300).await.unwrap(), 300);
    let stamp = house.log.stamp(partition, 300).await.unwrap();
    let last = second.last(partition).await.unwrap().unwrap();
    assert_eq!((last.position, last.event_id), (300, stamp.event_id));
    assert_eq!(last.recorded_at, stamp.recorded_at);

    house.set_back(partition, 100, true).await;
    house.append_many(customer, 50).await;
    house.relay(second);
    let reason = house.stops(partition).await;
    assert!(reason.contains("position 300"), "{reason}");
    // The broker brings 101 to 300 of the course that is gone; the log's count.
    let mut events = Vec::new();
    while events.len() < 150 {
        let after = events.len() as i64;
        events.extend(subscription.fetch(partition, after, 40).await.unwrap());
    }
    let stored = house.log.read(partition, 0, 150).await.unwrap();
    let ids =
        |events: &[event_store::RecordedEvent]| events.iter().map(|event| event.event_id).collect::<Vec<_>>();
    assert_eq!(ids(&events), ids(&stored));
    assert_eq!(reset_relay(&house.log, &[], None).await.unwrap(), [(partition, 100)]);
    house.notes(partition, 150).await;
}

/// Waits until a subscription is connected and hears that nothing is new.
async fn eventually_heard(subscription: &PulsarSubscription) {
    let hearing = async { while subscription.published().await.is_err() {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), hearing).await;
}
