//! Runs the jobs that are due, several at a time and one for each partition.

mod job;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chassis::Outage;
use domain::Partition;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::jobs;

pub(crate) use job::{JobContext, JobError};

/// Jobs that run at the same time; each takes one connection, and one more to read the log.
pub(crate) const JOBS_CONCURRENT: usize = 4;
/// How often the table is read, to find jobs that other processes created.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Runs jobs in this process. Other processes may have a worker on the same table.
pub(crate) struct Worker {
    pub(crate) context: Arc<JobContext>,
    /// Notified when a job was created or became due earlier.
    pub(crate) scheduled: Arc<Notify>,
}

impl Worker {
    /// Runs until `shutdown`. A job that runs then is cancelled, and its transaction is rolled back.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let _ = shutdown.run_until_cancelled(self.dispatch()).await;
    }

    async fn dispatch(&self) {
        let mut running = JoinSet::new();
        let mut partitions: HashMap<tokio::task::Id, Partition> = HashMap::new();
        let mut outage = Outage::default();
        loop {
            let wait = match jobs::waiting(&self.context.pool).await {
                Ok(waiting) => {
                    outage.ends();
                    self.start_due(&waiting, &mut running, &mut partitions)
                }
                Err(error) => {
                    if outage.begins() {
                        tracing::warn!(%error, "reports cannot read its jobs; they wait");
                    }
                    POLL_INTERVAL
                }
            };
            tokio::select! {
                Some(ended) = running.join_next_with_id() => {
                    let (id, panic) = match ended {
                        Ok((id, ())) => (id, None),
                        Err(error) => (error.id(), Some(error.to_string())),
                    };
                    if let (Some(partition), Some(panic)) = (partitions.remove(&id), panic) {
                        self.context.fail(partition, &JobError::Panic(panic)).await;
                    }
                }
                () = self.scheduled.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Starts the jobs that are due, up to [`JOBS_CONCURRENT`], and returns how long to wait before reading the table again.
    fn start_due(
        &self,
        waiting: &[(Partition, Duration)],
        running: &mut JoinSet<()>,
        partitions: &mut HashMap<tokio::task::Id, Partition>,
    ) -> Duration {
        for (partition, wait) in waiting {
            if partitions.values().any(|running| running == partition) {
                continue;
            }
            if !wait.is_zero() {
                return POLL_INTERVAL.min(*wait);
            }
            if running.len() >= JOBS_CONCURRENT {
                break;
            }
            let (context, partition) = (Arc::clone(&self.context), *partition);
            let task = running.spawn(async move { context.run(partition).await });
            partitions.insert(task.id(), partition);
        }
        POLL_INTERVAL
    }
}
