use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use domain::Partition;
use event_store::{EventLog, RecordedEvent};
use pulsar::compression::{Compression, CompressionLz4};
use pulsar::producer::{Message, Producer, SendFuture};
use pulsar::{ProducerOptions, TokioExecutor};
use tokio::sync::Mutex;

use super::connection::{Connection, OPERATION_TIMEOUT};
use super::message::encode;
use super::topic::Topic;
use super::{PulsarConfig, last};
use crate::{BusError, Carried, EventPublisher, Feed};

/// The client sends a batch when the receipt of the one before is there, so a batch should be large.
const BATCH_MESSAGES: u32 = 1_000;
const BATCH_BYTES: usize = 512 * 1024;
const BATCH_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(5);
/// Events that are read from the log at once, fewer where they are large.
const PAGE_EVENTS_MAX: i64 = 2_000;
const PAGE_EVENTS_MIN: i64 = 50;
const PAGE_EVENTS_FIRST: i64 = 500;
/// What a page should hold at most, in bytes of payload.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Pages whose receipts are outstanding.
const PAGES_IN_FLIGHT: usize = 2;
/// After so many the relay notes down how far it is, and looks at the other partitions.
const ROUND_EVENTS_MAX: i64 = 20_000;

/// Takes a log to a topic: log partition *n* to topic partition *n*, by a producer of its own.
pub struct PulsarPublisher {
    log: EventLog,
    connection: Arc<Connection>,
    slots: Vec<Mutex<Option<Slot>>>,
}

struct Slot {
    producer: Producer<TokioExecutor>,
    generation: u64,
    page_events: i64,
}

/// Messages whose receipts are awaited, and where the last of them stands.
struct Page {
    to: i64,
    receipts: Vec<SendFuture>,
}

impl PulsarPublisher {
    /// A publisher of this log; connects when it is first used.
    #[must_use]
    pub fn new(config: PulsarConfig, feed: Feed, log: EventLog) -> Self {
        let partitions = log.partitions();
        let slots = partitions.all().map(|_| Mutex::default()).collect();
        Self { log, connection: Arc::new(Connection::new(config, Topic { feed, partitions })), slots }
    }

    /// Connects, and makes sure of the topic.
    ///
    /// # Errors
    /// [`BusError::Refused`] if an operator must do something before anything can be published.
    pub async fn prepare(&self) -> Result<(), BusError> {
        self.connection.client().await.map(|_| ())
    }

    async fn producer(&self, partition: Partition) -> Result<Slot, BusError> {
        let (client, generation) = self.connection.client().await?;
        let topic = format!("{}-partition-{partition}", self.connection.topic.name(&self.connection.config));
        // Without a name: the broker gives a new one each time, so its deduplication can never mistake one for another.
        let building = client.producer().with_topic(topic).with_options(ProducerOptions {
            batch_size: Some(BATCH_MESSAGES),
            batch_byte_size: Some(BATCH_BYTES),
            batch_timeout: Some(BATCH_TIMEOUT),
            compression: Some(Compression::Lz4(CompressionLz4::default())),
            block_queue_if_full: true,
            ..ProducerOptions::default()
        });
        match limited("a producer", Box::pin(building.build())).await {
            Ok(producer) => Ok(Slot { producer, generation, page_events: PAGE_EVENTS_FIRST }),
            Err(error) => {
                self.connection.forget(generation).await;
                Err(error)
            }
        }
    }

    async fn carry(
        &self,
        slot: &mut Slot,
        partition: Partition,
        to: i64,
        reached: &mut i64,
    ) -> Result<(), BusError> {
        let mut read = *reached;
        let mut in_flight: VecDeque<Page> = VecDeque::new();
        while read < to {
            let events = self.log.read(partition, read, slot.page_events.min(to - read)).await?;
            let Some(last) = events.last() else { break };
            read = last.position;
            slot.page_events = next_page(&events);
            let sending = Box::pin(send(&mut slot.producer, self.connection.topic.feed, &events));
            let receipts = limited("sending", sending).await?;
            in_flight.push_back(Page { to: read, receipts });
            if in_flight.len() > PAGES_IN_FLIGHT {
                await_receipts(&mut in_flight, reached).await?;
            }
        }
        limited("sending", slot.producer.send_batch()).await?;
        while !in_flight.is_empty() {
            await_receipts(&mut in_flight, reached).await?;
        }
        Ok(())
    }
}

/// As many events as fit into a page, judged by those of the last one.
fn next_page(events: &[RecordedEvent]) -> i64 {
    let bytes: usize =
        events.iter().map(|event| event.payload.as_str().len() + event.metadata.as_str().len()).sum();
    let each = (bytes / events.len().max(1)).max(1);
    ((PAGE_BYTES / each) as i64).clamp(PAGE_EVENTS_MIN, PAGE_EVENTS_MAX)
}

#[expect(clippy::large_futures, reason = "the client's; boxing one for each message would cost more")]
async fn send(
    producer: &mut Producer<TokioExecutor>,
    feed: Feed,
    events: &[RecordedEvent],
) -> Result<Vec<SendFuture>, pulsar::Error> {
    let mut receipts = Vec::with_capacity(events.len());
    for event in events {
        let payload = encode(feed, event).map_err(|error| pulsar::Error::Custom(error.to_string()))?;
        let message = Message {
            payload,
            partition_key: Some(event.customer_id.to_string()),
            event_time: Some(event.recorded_at.timestamp_millis() as u64),
            ..Message::default()
        };
        receipts.push(producer.send_non_blocking(message).await?);
    }
    Ok(receipts)
}

/// Waits for the receipts of the oldest page.
async fn await_receipts(in_flight: &mut VecDeque<Page>, reached: &mut i64) -> Result<(), BusError> {
    let Some(page) = in_flight.pop_front() else { return Ok(()) };
    let receiving = async {
        for receipt in page.receipts {
            receipt.await?;
        }
        Ok(())
    };
    limited("receipts", receiving).await?;
    *reached = page.to;
    Ok(())
}

/// Nothing that is asked of the client may take for ever.
async fn limited<T>(what: &str, work: impl Future<Output = Result<T, pulsar::Error>>) -> Result<T, BusError> {
    match tokio::time::timeout(2 * OPERATION_TIMEOUT, work).await {
        Ok(outcome) => outcome.map_err(|error| BusError::Broker(format!("{what}: {error}"))),
        Err(_) => Err(BusError::Broker(format!("{what}: not done within {:?}", 2 * OPERATION_TIMEOUT))),
    }
}

#[async_trait]
impl EventPublisher for PulsarPublisher {
    async fn publish(&self, partition: Partition, after: i64, to: i64) -> Result<i64, BusError> {
        let unknown = || BusError::Refused(format!("the log has no partition {partition}"));
        let mut place = self.slots.get(usize::from(partition.0)).ok_or_else(unknown)?.lock().await;
        // Taken out: an error, or a caller that gives up half-way, leaves no producer that holds half a page.
        let mut slot = match place.take() {
            Some(slot) => slot,
            None => self.producer(partition).await?,
        };
        let mut reached = after;
        match self.carry(&mut slot, partition, to.min(after + ROUND_EVENTS_MAX), &mut reached).await {
            Ok(()) => *place = Some(slot),
            Err(error) => {
                self.connection.forget(slot.generation).await;
                if reached == after {
                    return Err(error);
                }
                tracing::warn!(%error, %partition, reached, "publishing broke off on the way");
            }
        }
        Ok(reached)
    }

    async fn last(&self, partition: Partition) -> Result<Option<Carried>, BusError> {
        Box::pin(last::last(&self.connection, partition)).await
    }
}
