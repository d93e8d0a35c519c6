mod fold;

use std::sync::Arc;
use std::time::Duration;

use chassis::Outage;
use domain::{DecodeError, Partition};
use event_bus::EventSubscription;
use event_store::{EventLog, LogError};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The log of customers has one partition.
const PARTITION: Partition = Partition(0);
const PAGE_EVENTS_MAX: i64 = 1_000;
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Why the read models stand still.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read models cannot be written.
    #[error("the read models of customers: {0}")]
    Database(#[from] sqlx::Error),
    /// The log holds an event that this program does not know: it is older than the log.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Folds customers' own log into its read models.
#[derive(Clone)]
pub(crate) struct Projection {
    log: EventLog,
    /// A fold holds one connection and needs a second one. One fold at a time cannot use up the pool and wait for itself.
    turn: Arc<Mutex<()>>,
}

impl Projection {
    pub(crate) fn new(log: EventLog) -> Self {
        Self { log, turn: Arc::default() }
    }

    /// Folds up to the head of the log: what was appended before is in the read models when this returns.
    ///
    /// # Errors
    /// [`FoldError`]; the checkpoint then stays where it was.
    pub(crate) async fn catch_up(&self) -> Result<(), FoldError> {
        let _turn = self.turn.lock().await;
        while self.fold_page().await? {}
        Ok(())
    }

    /// Folds one page in one transaction; returns whether there may be more.
    async fn fold_page(&self) -> Result<bool, FoldError> {
        let mut transaction = self.log.pool().begin().await?;
        // Other processes fold too; the row is whose turn it is.
        let position = sqlx::query_scalar!(
            "SELECT position FROM projection_checkpoint WHERE partition = $1 FOR UPDATE",
            i32::from(PARTITION.0),
        )
        .fetch_one(&mut *transaction)
        .await?;
        let events = self.log.read(PARTITION, position, PAGE_EVENTS_MAX).await?;
        let Some(last) = events.last() else { return Ok(false) };
        for event in &events {
            fold::fold(&mut transaction, event).await?;
        }
        sqlx::query!(
            "UPDATE projection_checkpoint SET position = $2 WHERE partition = $1",
            i32::from(PARTITION.0),
            last.position,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(events.len() as i64 == PAGE_EVENTS_MAX)
    }

    /// Folds what other processes append, and what a process that crashed had not folded.
    pub(crate) fn follow(
        &self,
        subscription: Arc<dyn EventSubscription>,
        tasks: &mut JoinSet<()>,
        shutdown: CancellationToken,
    ) {
        let this = self.clone();
        tasks.spawn(async move {
            shutdown.run_until_cancelled_owned(this.run(&*subscription)).await;
        });
    }

    async fn run(&self, subscription: &dyn EventSubscription) {
        let mut outage = Outage::default();
        loop {
            let outcome = match subscription.published().await {
                Ok(_) => self.catch_up().await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match outcome {
                Ok(()) => outage.ends(),
                Err(error) => {
                    if outage.begins() {
                        tracing::error!(%error, "the read models of customers stand still; trying again");
                    }
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }
}
