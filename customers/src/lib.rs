//! Customers, their people, sessions and tokens. Each has a folder with its routes and its table; a route is a file that is
//! named for what it does, as `tokens/revoke.rs`.
//!
//! Invariants: no password and no secret is in the log or in a read model, and only hashes of them are anywhere; a read
//! model is written only by the fold of the log, in the transaction that moves its checkpoint; what a command did is in
//! the read models before it is answered; to a caller, another customer's things do not exist.

mod config;
mod customer;
mod documented;
mod error;
mod fields;
mod invitations;
mod link_secret;
mod mail;
mod members;
mod paging;
mod passwords;
mod permissions;
mod projection;
mod router;
mod sessions;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod throttle;
mod tokens;

use chassis::StartError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use error::CustomersError;
pub use mail::Mailer;
pub use passwords::reset_links::{OfferedReset, PasswordResets};
pub use projection::FoldError;
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
