//! The only public service: it routes requests to the services, resolves sessions, limits what is in flight and how many
//! requests a token and a customer may make, and serves the dashboard and one OpenAPI document.
//!
//! Invariants: a body is forwarded as it comes and is never held; `/internal/…` is never routed; no `x-daybook-*`
//! header of a client reaches a service; a cookie authorizes a write only together with its CSRF token; every error
//! is `application/problem+json` and names its request. The gateway keeps no state but a cache of sessions that
//! forgets within seconds, and depends on no service crate.

mod allowance;
mod client;
mod config;
mod cookies;
mod credentials;
mod error;
mod handlers;
mod headers;
mod openapi;
mod places;
mod problems;
mod rates;
mod readiness;
mod request_limit;
mod router;
mod routes;
mod sessions;
mod site;
mod state;
#[cfg(test)]
mod tests;

use chassis::{Service, StartError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use client::TrustedProxies;
pub use config::{Config, Limits, RateLimits, TlsFiles};
pub use cookies::SessionCookie;
pub use openapi::{MergeError, merge, openapi_base, unrouted};

/// Builds the gateway. Its router has neither `/healthz` and `/readyz`, which come from the readiness, nor the layer of
/// [`chassis::observe`].
///
/// # Errors
/// [`StartError::Unusable`] if the OpenAPI document cannot be written as JSON.
#[expect(clippy::unused_async, reason = "every service starts with the same signature")]
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Service, StartError> {
    let readiness = readiness::readiness(&config, shutdown);
    let router = router::router(state::AppState::new(config, site::Site::built())?);
    Ok(Service { router, readiness, ..Service::default() })
}

/// Starts the gateway and serves until `shutdown`.
///
/// # Errors
/// As [`start`].
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    let tls = config.tls.as_ref().map(TlsFiles::load).transpose()?;
    let (router, _) = start(config, shutdown.clone()).await?.open("gateway");
    chassis::serve_tls(listener, tls, router, shutdown).await;
    Ok(())
}
