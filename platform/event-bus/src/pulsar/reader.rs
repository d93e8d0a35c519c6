use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::Backoff;
use domain::Partition;
use futures::StreamExt;
use pulsar::consumer::{Consumer, InitialPosition};
use pulsar::message::proto::MessageIdData;
use pulsar::message::proto::command_subscribe::SubType;
use pulsar::{ConsumerOptions, TokioExecutor};
use tokio::sync::watch;

use super::connection::{Connection, OPERATION_TIMEOUT};
use super::message::place;
use super::subscription::Shared;
use crate::{BusError, Group};

/// Messages that the broker may send ahead.
const RECEIVE_MESSAGES: u32 = 1_000;
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often an idle connection is asked whether it is alive; the client itself does not find out that a broker is silent.
const HEARTBEAT: Duration = Duration::from_secs(5);
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// Reads one partition of a topic, and always does: acknowledgements make no progress while it is not polled.
pub(crate) struct Reader {
    pub(crate) connection: Arc<Connection>,
    pub(crate) group: Group,
    pub(crate) partition: Partition,
    pub(crate) shared: Arc<Shared>,
    pub(crate) acknowledged: watch::Receiver<Option<MessageIdData>>,
}

impl Reader {
    /// Goes on for as long as it is polled, whatever goes wrong in between.
    pub(crate) async fn run(mut self) {
        let mut backoff = BACKOFF;
        loop {
            let (mut consumer, generation) = match self.subscribe().await {
                Ok(subscribed) => subscribed,
                Err(error) => {
                    self.shared.cut_off(self.partition, error);
                    tokio::time::sleep(backoff.failed()).await;
                    continue;
                }
            };
            backoff.succeeded();
            self.shared.connected(self.partition);
            let error = self.read(&mut consumer).await;
            self.shared.cut_off(self.partition, error);
            self.connection.forget(generation).await;
            // Its engine ends with it, and lets the broker know.
            drop(consumer);
            tokio::time::sleep(backoff.failed()).await;
        }
    }

    async fn subscribe(&self) -> Result<(Consumer<Vec<u8>, TokioExecutor>, u64), BusError> {
        let (client, generation) = self.connection.client().await?;
        let topic =
            format!("{}-partition-{}", self.connection.topic.name(&self.connection.config), self.partition);
        let building = client
            .consumer()
            .with_topic(topic)
            .with_subscription(self.group.subscription())
            .with_subscription_type(SubType::Failover)
            .with_batch_size(RECEIVE_MESSAGES)
            .with_options(ConsumerOptions {
                durable: Some(self.group.is_durable()),
                receiver_queue_size: Some(RECEIVE_MESSAGES),
                // What was published before is in the log, and faster to get from there.
                initial_position: InitialPosition::Latest,
                ..ConsumerOptions::default()
            })
            .build();
        let limit = 2 * OPERATION_TIMEOUT;
        let built = match tokio::time::timeout(limit, building).await {
            Ok(Ok(consumer)) => Ok((consumer, generation)),
            Ok(Err(error)) => Err(BusError::Broker(format!("subscribing: {error}"))),
            Err(_) => Err(BusError::Broker(format!("subscribing: not done within {limit:?}"))),
        };
        if built.is_err() {
            self.connection.forget(generation).await;
        }
        built
    }

    async fn read(&mut self, consumer: &mut Consumer<Vec<u8>, TokioExecutor>) -> BusError {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                message = consumer.next() => match message {
                    Some(Ok(message)) => {
                        heartbeat.reset();
                        self.receive(message);
                    }
                    Some(Err(error)) => return BusError::Broker(format!("receiving: {error}")),
                    None => return BusError::Broker("the subscription was broken off".to_owned()),
                },
                changed = self.acknowledged.changed() => {
                    if changed.is_err() {
                        return BusError::Broker("the subscription is closed".to_owned());
                    }
                    let id = self.acknowledged.borrow_and_update().clone();
                    if let Some(id) = id {
                        acknowledge(consumer, id).await;
                    }
                }
                // Only when nothing has come for a while: then nothing of ours waits to be polled in the meantime.
                _ = heartbeat.tick() => {
                    // No ping: the readers share a connection, and a second ping would break off the first.
                    let asking = Box::pin(consumer.get_last_message_id());
                    match tokio::time::timeout(HEARTBEAT_TIMEOUT, asking).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return BusError::Broker(format!("asking whether it is alive: {error}")),
                        Err(_) => return BusError::Broker(format!("it was silent for {HEARTBEAT_TIMEOUT:?}")),
                    }
                }
            }
        }
    }

    fn receive(&self, message: pulsar::consumer::Message<Vec<u8>>) {
        let id = message.message_id().clone();
        let bytes = Bytes::from(message.payload.data);
        match place(&bytes) {
            Some(place) if place.partition == self.partition => {
                let carried = place.is_carried().then_some(bytes);
                self.shared.receive(place.partition, place.position, carried, id);
            }
            // Another program's; if it was to be one of ours, its position is missed and found in the log.
            _ => metrics::counter!("daybook_bus_foreign_messages_total").increment(1),
        }
    }
}

/// Housekeeping of the broker; a later one makes up for one that is lost.
async fn acknowledge(consumer: &mut Consumer<Vec<u8>, TokioExecutor>, id: MessageIdData) {
    let topic = consumer.topics().pop().unwrap_or_default();
    let acknowledging = consumer.cumulative_ack_with_id(&topic, id);
    match tokio::time::timeout(ACKNOWLEDGE_TIMEOUT, acknowledging).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, topic, "an acknowledgement was lost"),
        Err(_) => tracing::debug!(topic, "an acknowledgement took too long"),
    }
}
