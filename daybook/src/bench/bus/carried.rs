//! Ours: the relay on a thread of its own, and a subscription as reports has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_bus::pulsar::{PulsarConfig, PulsarSubscription};
use event_bus::{EventSubscription, Feed, Group, Published, Relay};
use event_store::EventLog;
use sqlx::PgPool;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::{database_failure, processor};
use super::sample::Sample;
use super::{Pace, bus_failure, publish_first, publisher};
use crate::failure::Failure;

/// As reports fetches.
const PAGE: usize = 5_000;
const LIMIT: Duration = Duration::from_mins(5);

pub(super) async fn measure(config: PulsarConfig, sample: &Sample) -> Result<Pace, Failure> {
    sample.rewind().await?;
    publisher(&config, &sample.log).await?;
    let group = Group::shared("reports");
    let subscription = PulsarSubscription::new(config.clone(), Feed::Activities, sample.log.clone(), &group);
    // An error before the subscription is connected is no interruption.
    while subscription.published().await.is_err() {}
    let (ready, is_ready) = oneshot::channel();
    let (go, started) = oneshot::channel();
    let done = CancellationToken::new();
    let (url, all_done) = (sample.url.clone(), done.clone());
    let relaying =
        processor::alone(move || async move { relay(&url, &config, ready, started, all_done).await });
    let receiving = async {
        is_ready.await.map_err(|_| broken_off())?;
        hear_of_all(&subscription, sample).await?;
        let began = Instant::now();
        go.send(()).map_err(|()| broken_off())?;
        receive(&subscription, sample).await?;
        Ok::<_, Failure>(sample.events as f64 / began.elapsed().as_secs_f64())
    };
    let received = tokio::time::timeout(LIMIT, receiving).await;
    done.cancel();
    let used = relaying.await.map_err(|error| Failure::Failed(error.to_string()))??;
    let per_s = received.map_err(|_| Failure::Failed(format!("not done within {LIMIT:?}")))??;
    Ok(Pace { per_s, micros: used.as_secs_f64() * 1e6 / sample.events as f64 })
}

/// Relays until all is done, and returns the processor time that it took.
async fn relay(
    url: &str,
    config: &PulsarConfig,
    ready: oneshot::Sender<()>,
    started: oneshot::Receiver<()>,
    done: CancellationToken,
) -> Result<Duration, Failure> {
    let log = EventLog::open_existing(PgPool::connect(url).await.map_err(database_failure)?).await?;
    let publisher = publisher(config, &log).await?;
    publish_first(&publisher, &log).await?;
    let (Ok(()), Ok(())) = (ready.send(()), started.await) else { return Err(broken_off()) };
    let meter = processor::Meter::start();
    let mut tasks = JoinSet::new();
    let commits = watch::Sender::new(());
    Relay::start(log, Arc::new(publisher), commits.subscribe(), &mut tasks, done.clone());
    done.cancelled().await;
    let used = meter.used();
    tasks.join_all().await;
    Ok(used)
}

/// Waits until the broker has delivered something of every partition: a second after a Failover consumer connects.
async fn hear_of_all(subscription: &PulsarSubscription, sample: &Sample) -> Result<(), Failure> {
    let mut silent: Vec<_> = sample.log.partitions().all().collect();
    while !silent.is_empty() {
        for Published { partition, .. } in subscription.published().await.map_err(bus_failure)? {
            silent.retain(|other| *other != partition);
        }
    }
    Ok(())
}

async fn receive(subscription: &PulsarSubscription, sample: &Sample) -> Result<(), Failure> {
    let mut positions = vec![0i64; usize::from(sample.log.partitions().count())];
    let mut received = 0;
    while received < sample.events {
        for news in subscription.published().await.map_err(bus_failure)? {
            let Some(position) = positions.get_mut(usize::from(news.partition.0)) else { continue };
            while *position < news.position {
                let page = subscription.fetch(news.partition, *position, PAGE).await.map_err(bus_failure)?;
                let Some(last) = page.last() else { break };
                *position = last.position;
                received += page.len();
                subscription.acknowledge(news.partition, *position).await.map_err(bus_failure)?;
            }
        }
    }
    Ok(())
}

fn broken_off() -> Failure {
    Failure::Failed("the relay broke off".to_owned())
}
