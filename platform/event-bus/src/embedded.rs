use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use domain::Partition;
use event_store::{EventLog, RecordedEvent};
use sqlx::postgres::PgListener;

use crate::{BusError, EventPage, EventPublisher, EventSubscription, Published};

/// Where publications are announced.
const CHANNEL: &str = "daybook_published";
/// Announcements of so many partitions fit into the 8,000 bytes of one notification.
const ANNOUNCED_MAX: usize = 250;
/// How long a lost announcement can delay a consumer.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The embedded bus' sending side. The log is the queue, so publishing is telling how far it reaches: one NOTIFY for a
/// round of the relay. It is not sent by the append itself, since commits that notify wait for each other.
#[derive(Debug)]
pub struct EmbeddedPublisher {
    log: EventLog,
    announced: Mutex<BTreeMap<Partition, i64>>,
}

impl EmbeddedPublisher {
    /// A publisher of this log.
    #[must_use]
    pub fn new(log: EventLog) -> Self {
        Self { log, announced: Mutex::default() }
    }
}

#[async_trait]
impl EventPublisher for EmbeddedPublisher {
    async fn publish(&self, partition: Partition, _after: i64, to: i64) -> Result<i64, BusError> {
        self.announced.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(partition, to);
        Ok(to)
    }

    async fn flush(&self) -> Result<(), BusError> {
        let announced =
            std::mem::take(&mut *self.announced.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let words: Vec<String> =
            announced.iter().map(|(partition, position)| format!("{partition}:{position}")).collect();
        for some in words.chunks(ANNOUNCED_MAX) {
            // Nothing is lost with an announcement, so it does not wait for the disk.
            sqlx::query!(
                "SELECT pg_notify($1, $2) FROM set_config('synchronous_commit', 'off', true)",
                CHANNEL,
                some.join(","),
            )
            .execute(self.log.pool())
            .await?;
        }
        Ok(())
    }
}

fn parse(announcement: &str) -> Vec<Published> {
    let words = announcement.split(',').filter_map(|word| {
        let (partition, position) = word.split_once(':')?;
        Some(Published { partition: Partition(partition.parse().ok()?), position: position.parse().ok()? })
    });
    words.collect()
}

/// The embedded bus' receiving side: reads the log by position, woken by announcements, with a slow poll behind.
pub struct EmbeddedSubscription {
    log: EventLog,
    listener: tokio::sync::Mutex<Listener>,
}

struct Listener {
    listener: Option<PgListener>,
    next_poll: tokio::time::Instant,
}

impl EmbeddedSubscription {
    /// A subscription to this log; connects when it is first used.
    #[must_use]
    pub fn new(log: EventLog) -> Self {
        let listener = Listener { listener: None, next_poll: tokio::time::Instant::now() };
        Self { log, listener: tokio::sync::Mutex::new(listener) }
    }

    async fn poll(&self) -> Result<Vec<Published>, BusError> {
        let heads = self.log.heads().await?;
        let published = heads.into_iter().filter(|head| head.position > 0);
        Ok(published.map(|head| Published { partition: head.partition, position: head.position }).collect())
    }
}

#[async_trait]
impl EventSubscription for EmbeddedSubscription {
    async fn published(&self) -> Result<Vec<Published>, BusError> {
        let mut state = self.listener.lock().await;
        let Listener { listener, next_poll } = &mut *state;
        let listener = if let Some(listener) = listener {
            listener
        } else {
            let mut fresh = PgListener::connect_with(self.log.pool()).await?;
            fresh.listen(CHANNEL).await?;
            listener.insert(fresh)
        };
        tokio::select! {
            announced = listener.recv() => Ok(parse(announced?.payload())),
            () = tokio::time::sleep_until(*next_poll) => {
                *next_poll = tokio::time::Instant::now() + POLL_INTERVAL;
                self.poll().await
            }
        }
    }

    async fn fetch(
        &self,
        partition: Partition,
        after: i64,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, BusError> {
        Ok(self.log.read(partition, after, max as i64).await?)
    }

    async fn fetch_page(&self, partition: Partition, after: i64, max: usize) -> Result<EventPage, BusError> {
        Ok(EventPage::Read(self.log.read_page(partition, after, max as i64).await?))
    }

    async fn acknowledge(&self, _: Partition, _: i64) -> Result<(), BusError> {
        // The log keeps everything, and the consumer's checkpoint says where it is.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_read() {
        let expected = [(3, 17), (4, 1)]
            .map(|(partition, position)| Published { partition: Partition(partition), position });
        assert_eq!(parse("3:17,4:1,x,:"), expected);
    }
}
