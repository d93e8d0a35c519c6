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
/// How long a job that another process has made can be overlooked.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The jobs' worker of this process. Others may share the table of jobs with it.
pub(crate) struct Worker {
    pub(crate) context: Arc<JobContext>,
    /// There may be a job that is due earlier than those that are known.
    pub(crate) scheduled: Arc<Notify>,
}

impl Worker {
    /// Goes on until `shutdown`; a job that is running is then given up, and nothing of it is kept.
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
                        tracing::warn!(%error, "reports cannot look for jobs; they wait");
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

    /// Starts what is due, as far as there are places, and answers when to look again.
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
