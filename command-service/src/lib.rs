//! The write side ("activities"): HTTP ingest, corrections and redactions, actors and their identities, the history, and the
//! outbox relay.
//!
//! Invariants: nothing is acknowledged before it is durable; an activity is its own stream, so the same id is recorded
//! once for ever; a bad item of a batch is named and costs the others nothing; a redacted activity is gone from every
//! answer but the history; no merge of actors closes a circle; another customer's activities do not exist.

mod answers;
mod batch;
mod changing;
mod config;
mod discarding;
mod error;
mod handlers;
mod history_event;
mod identities;
mod protocols;
mod read_model;
mod recorder;
mod rejections;
mod router;
mod start;
mod state;
mod stream;
#[cfg(test)]
mod tests;

use chassis::StartError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::{Config, Limits};
pub use discarding::discard_for_operator;
pub use error::ActivitiesError;
pub use history_event::HistoryEvent;
pub use recorder::{NewActivity, RecordError, Recorded, Recorder};
pub use router::{openapi, router};
pub use start::start;
pub use state::AppState;

/// The migrations of the service's database.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/activities");

/// Starts the service and serves until `shutdown`; returns when its tasks have ended too.
///
/// # Errors
/// As [`start`].
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    start(config, shutdown.clone()).await?.run("activities", listener, shutdown).await;
    Ok(())
}
