use std::sync::Arc;
use std::time::{Duration, Instant};

use chassis::Outage;
use event_bus::{BusError, EventSubscription, Published};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::lag::Lag;
use crate::{jobs, status};

/// Notifications that arrive within this time of each other become one statement.
const GATHER: Duration = Duration::from_millis(10);
/// How often the metrics say how far behind the projections are.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Turns notifications into durable delayed jobs. A lost notification does no harm: the subscription also polls, and then
/// reports every partition.
pub(crate) struct Intake {
    pub(crate) pool: PgPool,
    pub(crate) subscription: Arc<dyn EventSubscription>,
    pub(crate) lag: Arc<Lag>,
    pub(crate) fold_delay: Duration,
    /// Wakes the worker.
    pub(crate) scheduled: Arc<Notify>,
}

/// Why no job is made.
#[derive(Debug, thiserror::Error)]
enum IntakeError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("the database of reports: {0}")]
    Database(#[from] sqlx::Error),
}

impl Intake {
    /// Goes on until `shutdown`, whatever goes wrong in between.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let _ = shutdown.run_until_cancelled(self.listen()).await;
    }

    async fn listen(&self) {
        let mut outage = Outage::default();
        let mut measured = None;
        loop {
            match self.round(&mut measured).await {
                Ok(()) => outage.ends(),
                Err(error) => {
                    if outage.begins() {
                        tracing::warn!(%error, "reports receives no notifications; events wait in the log");
                    }
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    async fn round(&self, measured: &mut Option<Instant>) -> Result<(), IntakeError> {
        let mut published = self.subscription.published().await?;
        let gathered = tokio::time::Instant::now() + GATHER;
        while let Ok(more) = tokio::time::timeout_at(gathered, self.subscription.published()).await {
            published.extend(more?);
        }
        // All of it, not only what is new: a job that could not be made before is made now.
        let latest = latest(&published);
        self.lag.record_published(published, Instant::now());
        if jobs::schedule(&self.pool, &latest, self.fold_delay).await? {
            self.scheduled.notify_one();
        }
        if measured.is_none_or(|at| at.elapsed() >= MEASURE_INTERVAL) {
            *measured = Some(Instant::now());
            status::measure(&self.pool, &self.lag).await?;
        }
        Ok(())
    }
}

/// The greatest position of each partition: a statement must not change a row twice.
fn latest(published: &[Published]) -> Vec<Published> {
    let mut latest: Vec<Published> = Vec::with_capacity(published.len());
    for news in published {
        match latest.iter_mut().find(|known| known.partition == news.partition) {
            Some(known) => known.position = known.position.max(news.position),
            None => latest.push(*news),
        }
    }
    latest
}

#[cfg(test)]
mod tests {
    use domain::Partition;

    use super::*;

    #[test]
    fn each_partition_has_one_position_the_greatest() {
        let news = |partition, position| Published { partition: Partition(partition), position };
        assert_eq!(latest(&[news(1, 5), news(2, 1), news(1, 7), news(1, 6)]), [news(1, 7), news(2, 1)]);
    }
}
