use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::Partition;
use futures::StreamExt;
use pulsar::consumer::{Consumer, InitialPosition};
use pulsar::message::proto::MessageIdData;
use pulsar::message::proto::command_subscribe::SubType;
use pulsar::{ConsumerOptions, TokioExecutor};
use serde::Deserialize;
use uuid::Uuid;

use super::connection::{Connection, OPERATION_TIMEOUT};
use crate::{BusError, Carried};

/// A message that the broker has counted and thrown away does not come.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(3);
/// What the broker says of an empty topic: -1, as an unsigned number.
const NO_ENTRY: u64 = u64::MAX;

#[derive(Deserialize)]
struct Message {
    id: Uuid,
    time: DateTime<Utc>,
    position: i64,
}

/// The last event of a topic partition; none if it is empty, or its last message is thrown away already or not ours.
pub(super) async fn last(connection: &Connection, partition: Partition) -> Result<Option<Carried>, BusError> {
    let asking = async {
        let mut consumer_of_all = Box::pin(consumer(connection, partition, None)).await?;
        let ids = Box::pin(consumer_of_all.get_last_message_id()).await?;
        let Some(id) = ids.into_iter().next().filter(|id| id.entry_id != NO_ENTRY) else { return Ok(None) };
        // With a place in a batch, the broker begins with the entry itself and not after it.
        let from = MessageIdData { batch_index: Some(0), ..id.clone() };
        let mut consumer = Box::pin(consumer(connection, partition, Some(from))).await?;
        let mut last = None;
        while let Ok(Some(message)) = tokio::time::timeout(ARRIVAL_LIMIT, consumer.next()).await {
            let message = message?;
            let place = message.message_id();
            last = Some(message.payload.data.clone());
            let is_entry = (place.ledger_id, place.entry_id) == (id.ledger_id, id.entry_id);
            if is_entry && place.batch_index() >= id.batch_index() {
                break;
            }
        }
        Ok(last)
    };
    let limit = 2 * OPERATION_TIMEOUT;
    let message = match tokio::time::timeout(limit, Box::pin(asking)).await {
        Ok(outcome) => outcome.map_err(|error: Failure| error.0)?,
        Err(_) => return Err(BusError::Broker(format!("the last message: no answer within {limit:?}"))),
    };
    let message: Option<Message> = message.and_then(|message| serde_json::from_slice(&message).ok());
    Ok(message.map(|message| Carried {
        position: message.position,
        event_id: message.id,
        recorded_at: message.time,
    }))
}

/// So that `?` takes the client's errors and ours.
struct Failure(BusError);

impl From<pulsar::Error> for Failure {
    fn from(error: pulsar::Error) -> Self {
        Self(BusError::Broker(format!("the last message: {error}")))
    }
}

impl From<BusError> for Failure {
    fn from(error: BusError) -> Self {
        Self(error)
    }
}

/// A consumer that the broker forgets when it goes: from the end on, or from a message on.
async fn consumer(
    connection: &Connection,
    partition: Partition,
    from: Option<MessageIdData>,
) -> Result<Consumer<Vec<u8>, TokioExecutor>, Failure> {
    let (client, _) = connection.client().await?;
    let topic = format!("{}-partition-{partition}", connection.topic.name(&connection.config));
    let building = client
        .consumer()
        .with_topic(topic)
        .with_subscription(format!("relay-{}", Uuid::now_v7().simple()))
        .with_subscription_type(SubType::Exclusive)
        .with_options(ConsumerOptions {
            durable: Some(false),
            start_message_id: from,
            initial_position: InitialPosition::Latest,
            ..ConsumerOptions::default()
        });
    Ok(building.build().await?)
}
