//! The read side: a notification makes a durable delayed job, the job folds what was published into the read models, and
//! the queries read them.
//!
//! Invariants: a read model is written only by its projection's fold; a checkpoint moves only in the transaction that
//! folds; nothing is folded twice and no position is passed over, because the checkpoint decides and a hole is an error;
//! up to every checkpoint, published = folded + dead-lettered + discarded; every read model can be thrown away and folded again.

mod answers;
mod calendar;
mod columns;
mod config;
mod dead_letters;
mod error;
mod fold;
mod generations;
mod handlers;
mod intake;
mod jobs;
mod lag;
mod rebuild;
mod reports;
mod router;
mod start;
mod state;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod view;
mod worker;

use chassis::StartError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use dead_letters::{
    DeadLetter, DeadLetterError, DeadLetterId, DeadLetterQuery, NoDeadLetterId, Resolved, StoppedAt,
    dead_letter, dead_letters, discard, retry,
};
pub use error::ReportsError;
pub use jobs::{PendingJob, jobs};
pub use rebuild::{
    Differences, Progress, RebuildError, RebuildJob, RebuildOptions, RebuildState, Rebuilt, rebuild,
    roll_back,
};
pub use router::{openapi, router};
pub use start::start;
pub use state::AppState;
pub use status::{PartitionStatus, ProjectionStatus, diverged, status};
pub use view::PositionFinder;

/// The migrations of the service's database.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/reports");

/// Starts the service and serves until `shutdown`; returns when its tasks have ended too.
///
/// # Errors
/// As [`start`].
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    start(config, shutdown.clone()).await?.run("reports", listener, shutdown).await;
    Ok(())
}
