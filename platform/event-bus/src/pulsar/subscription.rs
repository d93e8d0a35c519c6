use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Partition;
use event_store::{EventLog, LogError, RecordedEvent};
use pulsar::message::proto::MessageIdData;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::PulsarConfig;
use super::buffer::{Buffer, Run};
use super::connection::Connection;
use super::message::decode;
use super::reader::Reader;
use super::topic::Topic;
use crate::relay::positions;
use crate::{BusError, EventSubscription, Feed, Group, Published};

/// What a subscription keeps of delivered messages, over all partitions, in bytes.
const BUFFER_BYTES: usize = 64 * 1024 * 1024;
const BUFFER_BYTES_MIN: usize = 256 * 1024;
/// How long an announcement that the broker lost can delay a consumer.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The receiving side on Pulsar. The broker announces what is new and delivers it; whatever it lost, dropped, or delivered to
/// another process is read from the log. Dropping it ends its readers at once, however much they hold.
pub struct PulsarSubscription {
    log: EventLog,
    shared: Arc<Shared>,
    acknowledged: Vec<watch::Sender<Option<MessageIdData>>>,
    next_poll: tokio::sync::Mutex<Instant>,
    /// Aborted when dropped.
    _readers: JoinSet<()>,
}

/// What readers and consumers share.
pub(crate) struct Shared {
    buffers: Vec<Mutex<Buffer>>,
    news: Mutex<News>,
    woken: Notify,
}

struct News {
    published: BTreeMap<Partition, i64>,
    /// Partitions whose reader is not connected.
    away: BTreeSet<Partition>,
    error: Option<BusError>,
    /// Something may have been missed.
    poll_now: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn receive(
        &self,
        partition: Partition,
        position: i64,
        carried: Option<Bytes>,
        id: MessageIdData,
    ) {
        let Some(buffer) = self.buffers.get(usize::from(partition.0)) else { return };
        if locked(buffer).receive(position, carried, id) {
            locked(&self.news).published.insert(partition, position);
            self.woken.notify_one();
        }
    }

    pub(crate) fn connected(&self, partition: Partition) {
        if let Some(buffer) = self.buffers.get(usize::from(partition.0)) {
            locked(buffer).forget_marks();
        }
        let mut news = locked(&self.news);
        news.away.remove(&partition);
        news.poll_now = true;
        self.woken.notify_one();
    }

    pub(crate) fn cut_off(&self, partition: Partition, error: BusError) {
        let mut news = locked(&self.news);
        news.away.insert(partition);
        news.error = Some(error);
        self.woken.notify_one();
    }
}

impl PulsarSubscription {
    /// A subscription to this log's topic. Its readers start at once, and connect when they can.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(config: PulsarConfig, feed: Feed, log: EventLog, group: &Group) -> Self {
        let partitions = log.partitions();
        let bytes_max = (BUFFER_BYTES / usize::from(partitions.count())).max(BUFFER_BYTES_MIN);
        let shared = Arc::new(Shared {
            buffers: partitions.all().map(|_| Mutex::new(Buffer::new(bytes_max))).collect(),
            news: Mutex::new(News {
                published: BTreeMap::new(),
                away: partitions.all().collect(),
                error: None,
                poll_now: false,
            }),
            woken: Notify::new(),
        });
        let connection = Arc::new(Connection::new(config, Topic { feed, partitions }));
        let mut readers = JoinSet::new();
        let acknowledged = partitions.all().map(|partition| {
            let (sender, acknowledged) = watch::channel(None);
            let (connection, shared) = (Arc::clone(&connection), Arc::clone(&shared));
            readers.spawn(Reader { connection, group: group.clone(), partition, shared, acknowledged }.run());
            sender
        });
        let acknowledged = acknowledged.collect();
        Self {
            log,
            shared,
            acknowledged,
            next_poll: tokio::sync::Mutex::new(Instant::now()),
            _readers: readers,
        }
    }

    /// What can be answered without waiting.
    fn news(&self) -> Option<Result<Vec<Published>, BusError>> {
        let mut news = locked(&self.shared.news);
        if let Some(error) = news.error.take() {
            return Some(Err(error));
        }
        let published = std::mem::take(&mut news.published);
        let announced = published.into_iter().map(|(partition, position)| Published { partition, position });
        Some(announced.collect()).filter(|announced: &Vec<Published>| !announced.is_empty()).map(Ok)
    }

    /// Whether there are events, and the log has them: if its last one is in the log, all are, for a log only grows. What the broker
    /// brings of a log that was set back since is thrown away.
    async fn are_of_the_log(&self, carried: &[RecordedEvent]) -> Result<bool, BusError> {
        let Some(last) = carried.last() else { return Ok(false) };
        match self.log.stamp(last.partition, last.position).await {
            Ok(found) if found.event_id == last.event_id => return Ok(true),
            Ok(_) | Err(LogError::Diverged(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let partition = last.partition;
        tracing::error!(
            %partition, position = last.position, event_id = %last.event_id,
            "the bus brings an event that is not in the log, which was set back or is another one; the log counts"
        );
        metrics::counter!("daybook_bus_foreign_messages_total").increment(carried.len() as u64);
        if let Some(buffer) = self.shared.buffers.get(usize::from(partition.0)) {
            locked(buffer).discard();
        }
        Ok(false)
    }

    fn buffered(&self, partition: Partition, after: i64, max: usize) -> Run {
        match self.shared.buffers.get(usize::from(partition.0)) {
            Some(buffer) => locked(buffer).after(after, max),
            None => Run::Nothing,
        }
    }
}

#[async_trait]
impl EventSubscription for PulsarSubscription {
    async fn published(&self) -> Result<Vec<Published>, BusError> {
        let mut next_poll = self.next_poll.lock().await;
        loop {
            if let Some(news) = self.news() {
                return news;
            }
            let is_whole = {
                let mut news = locked(&self.shared.news);
                if std::mem::take(&mut news.poll_now) {
                    *next_poll = Instant::now();
                }
                news.away.is_empty()
            };
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(*next_poll), if is_whole => {
                    // While the broker is away nothing is said, so that who relies on hearing knows it.
                    let published = positions(self.log.pool()).await?;
                    *next_poll = Instant::now() + POLL_INTERVAL;
                    return Ok(published.into_iter().filter(|published| published.position > 0).collect());
                }
                () = self.shared.woken.notified() => {}
            }
        }
    }

    async fn fetch(
        &self,
        partition: Partition,
        after: i64,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, BusError> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let last = events.last().map_or(after, |event| event.position);
            let wanted = max - events.len();
            if wanted == 0 {
                return Ok(events);
            }
            let missing = match self.buffered(partition, last, wanted) {
                Run::Messages(messages) => {
                    let carried: Vec<RecordedEvent> =
                        messages.iter().map_while(|message| decode(message)).collect();
                    if self.are_of_the_log(&carried).await? {
                        events.extend(carried);
                        continue;
                    }
                    carried.len().max(1) as i64
                }
                Run::HoleUpTo(position) => position - last - 1,
                Run::Nothing if !events.is_empty() => return Ok(events),
                // Another process may be the one that gets this partition.
                Run::Nothing => wanted as i64,
            };
            let limit = missing.min(wanted as i64);
            let repaired = self.log.read(partition, last, limit).await?;
            if repaired.is_empty() {
                return Ok(events);
            }
            metrics::counter!("daybook_bus_read_from_log_total").increment(repaired.len() as u64);
            events.extend(repaired);
        }
    }

    async fn acknowledge(&self, partition: Partition, position: i64) -> Result<(), BusError> {
        let place = usize::from(partition.0);
        let (Some(buffer), Some(sender)) = (self.shared.buffers.get(place), self.acknowledged.get(place))
        else {
            return Ok(());
        };
        if let Some(id) = locked(buffer).acknowledge(position) {
            sender.send_replace(Some(id));
        }
        Ok(())
    }
}
