//! The limit: one producer and one consumer of the client library, with our messages and nothing else.

use std::time::{Duration, Instant};

use event_bus::pulsar::{PulsarConfig, connect};
use futures::StreamExt;
use pulsar::compression::{Compression, CompressionLz4};
use pulsar::consumer::{Consumer, InitialPosition};
use pulsar::message::proto::command_subscribe::SubType;
use pulsar::producer::{Message, Producer};
use pulsar::{ConsumerOptions, ProducerOptions, TokioExecutor};
use tokio::sync::oneshot;

use super::super::processor;
use super::sample::Sample;
use super::{Pace, bus_failure, publisher};
use crate::failure::Failure;

/// Messages whose receipts are outstanding.
const WINDOW: usize = 5_000;
const LIMIT: Duration = Duration::from_mins(5);

pub(super) async fn measure(config: PulsarConfig, sample: &Sample) -> Result<Pace, Failure> {
    // Makes the topic.
    publisher(&config, &sample.log).await?;
    let topic =
        format!("persistent://{}/{}/daybook.activities.v1-partition-0", config.tenant, config.namespace);
    let mut consumer = consumer(&config, &topic).await?;
    let messages = sample.messages().await?;
    let events = messages.len();
    let (ready, is_ready) = oneshot::channel();
    let (go, started) = oneshot::channel();
    let sending = processor::alone(move || async move {
        let mut producer = producer(&config, &topic).await?;
        // After a Failover consumer connects, the broker waits a second before it delivers: one message goes ahead.
        let ahead = Box::pin(producer.send_non_blocking("ahead".to_owned())).await;
        ahead.map_err(failed)?.await.map_err(failed)?;
        let (Ok(()), Ok(())) = (ready.send(()), started.await) else { return Err(broken_off()) };
        let meter = processor::Meter::start();
        Box::pin(send(&mut producer, messages)).await?;
        Ok(meter.used())
    });
    let receiving = async {
        is_ready.await.map_err(|_| broken_off())?;
        next(&mut consumer).await?;
        let began = Instant::now();
        go.send(()).map_err(|()| broken_off())?;
        for _ in 0..events {
            next(&mut consumer).await?;
        }
        Ok::<_, Failure>(events as f64 / began.elapsed().as_secs_f64())
    };
    let received = tokio::time::timeout(LIMIT, receiving).await;
    let used = sending.await.map_err(|error| Failure::Failed(error.to_string()))??;
    let per_s = received.map_err(|_| Failure::Failed(format!("not done within {LIMIT:?}")))??;
    Ok(Pace { per_s, micros: used.as_secs_f64() * 1e6 / events as f64 })
}

async fn next(consumer: &mut Consumer<Vec<u8>, TokioExecutor>) -> Result<(), Failure> {
    consumer.next().await.ok_or_else(broken_off)?.map(|_| ()).map_err(failed)
}

async fn consumer(config: &PulsarConfig, topic: &str) -> Result<Consumer<Vec<u8>, TokioExecutor>, Failure> {
    let client = connect(config).await.map_err(bus_failure)?;
    let latest = ConsumerOptions { initial_position: InitialPosition::Latest, ..ConsumerOptions::default() };
    let building = client
        .consumer()
        .with_topic(topic)
        .with_subscription("bare")
        .with_subscription_type(SubType::Failover)
        .with_options(latest);
    Box::pin(building.build()).await.map_err(failed)
}

async fn producer(config: &PulsarConfig, topic: &str) -> Result<Producer<TokioExecutor>, Failure> {
    let client = connect(config).await.map_err(bus_failure)?;
    // The same as the relay's.
    let building = client.producer().with_topic(topic).with_options(ProducerOptions {
        batch_size: Some(1_000),
        batch_byte_size: Some(512 * 1024),
        batch_timeout: Some(Duration::from_millis(5)),
        compression: Some(Compression::Lz4(CompressionLz4::default())),
        block_queue_if_full: true,
        ..ProducerOptions::default()
    });
    Box::pin(building.build()).await.map_err(failed)
}

#[expect(clippy::large_futures, reason = "the client's; boxing one for each message would cost more")]
async fn send(producer: &mut Producer<TokioExecutor>, messages: Vec<Vec<u8>>) -> Result<(), Failure> {
    let mut receipts = Vec::with_capacity(WINDOW);
    for payload in messages {
        let message = Message { payload, ..Message::default() };
        receipts.push(producer.send_non_blocking(message).await.map_err(failed)?);
        if receipts.len() == WINDOW {
            for receipt in receipts.drain(..) {
                receipt.await.map_err(failed)?;
            }
        }
    }
    for receipt in receipts {
        receipt.await.map_err(failed)?;
    }
    Ok(())
}

fn failed(error: pulsar::Error) -> Failure {
    Failure::missing("the Pulsar broker", error)
}

fn broken_off() -> Failure {
    Failure::Failed("the bare client broke off".to_owned())
}
