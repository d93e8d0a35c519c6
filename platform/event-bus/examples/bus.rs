//! What the bus costs: the relay and a subscription, end to end, beside a bare producer and consumer of the client with the
//! same messages on the same broker; and the processor time of publishing.
//!
//! Needs `DAYBOOK_TEST_DATABASE_URL`, `DAYBOOK_TEST_PULSAR_URL` and `DAYBOOK_TEST_PULSAR_WEB_URL`. The first argument is the
//! number of events.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{CustomerId, Partition, Partitions};
use event_bus::pulsar::{Feed, Group, PulsarConfig, PulsarPublisher, PulsarSubscription, encode};
use event_bus::{EventPublisher, EventSubscription, Relay};
use event_store::{Append, Appender, AppenderConfig, EventLog, NewEvent};
use futures::StreamExt;
use pulsar::compression::{Compression, CompressionLz4};
use pulsar::consumer::{Consumer, InitialPosition};
use pulsar::message::proto::command_subscribe::SubType;
use pulsar::producer::Message;
use pulsar::{ConsumerOptions, ProducerOptions, Pulsar, TokioExecutor};
use scratch_database::ScratchDatabase;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const EVENTS_DEFAULT: usize = 100_000;
const WINDOW: usize = 5_000;
const PAGE: usize = 5_000;
const LIMIT: Duration = Duration::from_mins(5);
/// Of the kernel's clock, in `/proc/self/stat`.
const TICKS_PER_SECOND: f64 = 100.0;
const PAYLOAD: &str = r#"{"type":"page.viewed","actor":"user-000123","occurred_at":"2026-01-01T12:00:00Z","properties":{"page":"/pricing","plan":"team"}}"#;

#[tokio::main]
async fn main() -> Outcome<()> {
    let events: usize = std::env::args().nth(1).map_or(Ok(EVENTS_DEFAULT), |count| count.parse())?;
    let (url, admin) =
        (std::env::var("DAYBOOK_TEST_PULSAR_URL")?, std::env::var("DAYBOOK_TEST_PULSAR_WEB_URL")?);
    let config = PulsarConfig {
        namespace: format!("bench-{}", Uuid::now_v7().simple()),
        ..PulsarConfig::at(url.parse()?, Some(admin.parse()?))
    };
    let database = ScratchDatabase::migrated("activities").await;
    let partitions = Partitions::new(16).ok_or("partitions")?;
    let log = EventLog::open(database.pool().clone(), partitions).await?;
    let mut tasks = JoinSet::new();
    let shutdown = CancellationToken::new();
    let appender = Appender::start(&log, AppenderConfig::default(), &mut tasks, &shutdown);
    fill(&log, &appender, events).await?;

    let publisher = Arc::new(PulsarPublisher::new(config.clone(), Feed::Activities, log.clone()));
    publisher.prepare().await?;
    let (began, cpu) = (Instant::now(), cpu()?);
    for head in log.heads().await? {
        let mut reached = 0;
        while reached < head.position {
            reached = publisher.publish(head.partition, reached, head.position).await?;
        }
    }
    let spent = self::cpu()? - cpu;
    println!(
        "publishing    {:>8.0} a second, {:.1} µs of processor an event",
        rate(events, began),
        spent * 1e6 / events as f64
    );

    let bare = Box::pin(bare(&config, &log, events)).await?;
    println!("bare client   {bare:>8.0} a second, end to end");

    let group = Group::alone("bench");
    let subscription = PulsarSubscription::new(config, Feed::Activities, log.clone(), &group);
    // Until it hears, it is not there.
    while subscription.published().await.is_err() {}
    let began = Instant::now();
    Relay::start(log.clone(), publisher, appender.commits(), &mut tasks, shutdown.clone());
    tokio::time::timeout(LIMIT, receive(&subscription, &log, events)).await??;
    let ours = rate(events, began);
    println!("relay, intake {ours:>8.0} a second, end to end");
    println!("ratio         {:>8.2}", ours / bare);
    shutdown.cancel();
    Ok(())
}

fn rate(events: usize, began: Instant) -> f64 {
    events as f64 / began.elapsed().as_secs_f64()
}

/// Seconds of processor time that this process has used.
fn cpu() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks =
        after.split_ascii_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

async fn fill(log: &EventLog, appender: &Appender, events: usize) -> Outcome<()> {
    let customers: Vec<CustomerId> = (0..200).map(|_| CustomerId(Uuid::now_v7())).collect();
    for chunk in 0..events.div_ceil(500) {
        let customer = customers[chunk % customers.len()];
        let append = |_| Append {
            partition: log.partitions().of(customer),
            customer_id: customer,
            aggregate_type: "activity",
            aggregate_id: format!("{customer}:{}", Uuid::now_v7()),
            sequence: 1,
            events: vec![NewEvent {
                event_id: Uuid::now_v7(),
                event_type: "ActivityRecorded".into(),
                event_version: "2.0.0".into(),
                payload: PAYLOAD.into(),
                metadata: "{}".into(),
            }],
        };
        appender.append((0..500.min(events - chunk * 500)).map(append).collect()).await?;
    }
    Ok(())
}

async fn receive(subscription: &PulsarSubscription, log: &EventLog, events: usize) -> Outcome<()> {
    let mut positions = vec![0i64; usize::from(log.partitions().count())];
    let mut received = 0;
    while received < events {
        for news in subscription.published().await.unwrap_or_default() {
            let position = &mut positions[usize::from(news.partition.0)];
            while *position < news.position {
                let page = subscription.fetch(news.partition, *position, PAGE).await?;
                let Some(last) = page.last() else { break };
                *position = last.position;
                received += page.len();
                subscription.acknowledge(news.partition, *position).await?;
            }
        }
    }
    Ok(())
}

/// One producer and one consumer, with our messages.
#[expect(clippy::large_futures, reason = "the client's; boxing one for each message would cost more")]
async fn bare(config: &PulsarConfig, log: &EventLog, events: usize) -> Outcome<f64> {
    let mut messages = Vec::with_capacity(events);
    for partition in log.partitions().all() {
        messages.extend(messages_of(log, partition).await?);
    }
    let topic =
        format!("persistent://{}/{}/daybook.activities.v1-partition-0", config.tenant, config.namespace);
    let client =
        Pulsar::builder(config.url.as_str(), TokioExecutor).with_outbound_channel_size(1_000).build().await?;
    let consumer = client
        .consumer()
        .with_topic(&topic)
        .with_subscription("bare")
        .with_subscription_type(SubType::Failover);
    let latest = ConsumerOptions { initial_position: InitialPosition::Latest, ..ConsumerOptions::default() };
    let mut consumer: Consumer<Vec<u8>, _> = consumer.with_options(latest).build().await?;
    let mut producer = client
        .producer()
        .with_topic(&topic)
        .with_options(ProducerOptions {
            batch_size: Some(1_000),
            batch_byte_size: Some(128 * 1024),
            batch_timeout: Some(Duration::from_millis(5)),
            compression: Some(Compression::Lz4(CompressionLz4::default())),
            block_queue_if_full: true,
            ..ProducerOptions::default()
        })
        .build()
        .await?;
    // After a Failover consumer connects, the broker waits a second before it delivers: one message goes ahead.
    producer.send_non_blocking("ahead".to_owned()).await?.await?;
    consumer.next().await.ok_or("no message")??;

    let began = Instant::now();
    let sending = tokio::spawn(async move {
        let mut receipts = Vec::with_capacity(WINDOW);
        for payload in messages {
            let message = Message { payload, ..Message::default() };
            receipts.push(producer.send_non_blocking(message).await.map_err(|error| error.to_string())?);
            if receipts.len() == WINDOW {
                for receipt in receipts.drain(..) {
                    receipt.await.map_err(|error| error.to_string())?;
                }
            }
        }
        Ok::<_, String>((producer, receipts))
    });
    let receiving = async {
        for _ in 0..events {
            consumer.next().await.ok_or("no message")??;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    tokio::time::timeout(LIMIT, receiving).await??;
    let rate = rate(events, began);
    sending.await??;
    Ok(rate)
}

async fn messages_of(log: &EventLog, partition: Partition) -> Outcome<Vec<Vec<u8>>> {
    let (mut messages, mut after) = (Vec::new(), 0);
    loop {
        let page = log.read(partition, after, PAGE as i64).await?;
        let Some(last) = page.last() else { return Ok(messages) };
        after = last.position;
        for event in &page {
            messages.push(encode(Feed::Activities, event)?);
        }
    }
}
