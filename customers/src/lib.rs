//! Customers, their people, sessions and tokens: who may come in, and what for.
//!
//! Invariants: no password and no secret lies in the log or in a read model, only hashes of them lie anywhere; a read
//! model is written only by the fold of the log, in the transaction that moves its checkpoint; what a command did is in
//! the read models before it is answered; another customer's things do not exist.

mod answers;
mod authority;
mod common_passwords;
mod config;
mod cookies;
mod credentials;
mod error;
mod excess;
mod fields;
mod forgotten;
mod handlers;
mod invitations;
mod mail;
mod members;
mod new_passwords;
mod passwords;
mod permissions;
mod projection;
mod resets;
mod router;
mod sessions;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod throttle;
mod tokens;
mod trace;
mod uses;

use chassis::StartError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use error::CustomersError;
pub use mail::Mailer;
pub use projection::FoldError;
pub use resets::{OfferedReset, PasswordResets};
pub use router::{openapi, router};
pub use start::start;
pub use state::AppState;
pub use throttle::LogInLimits;

/// The migrations of the service's database.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/customers");

/// Starts the service and serves until `shutdown`; returns when its tasks have ended too.
///
/// # Errors
/// As [`start`].
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    start(config, shutdown.clone()).await?.run("customers", listener, shutdown).await;
    Ok(())
}
