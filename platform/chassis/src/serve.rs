use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::connection::{self, Limits, OpenConnections};
use crate::tls::Tls;

/// How long open requests may take once a service stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may wait for anything here, and we for it.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    // Longer than the 60 s after which most load balancers close a connection of theirs, so that it is they who do.
    idle: Duration::from_secs(75),
    write: Duration::from_secs(30),
};
/// Connections at one listener; more wait in the kernel's queue until one of them can be spared.
const CONNECTIONS_MAX: usize = 4_096;
/// Of the files that the process may open, the part that one listener's connections may be: databases and other services
/// need some too.
const FILES_PART: usize = 4;
/// How long a listener rests when nothing can be accepted and no connection can be spared.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another program listens at the address.
    #[error("{address} is taken by another program; choose another address or port 0 for any free one")]
    Taken {
        /// The address.
        address: SocketAddr,
    },
    /// Anything else.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Opens a listener; port 0 takes any free one.
///
/// # Errors
/// [`ServeError`], which says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::Taken { address },
        _ => ServeError::Listen { address, source },
    })
}

/// Serves until `shutdown`, then lets open requests finish for a few seconds. Handlers find the peer's address as
/// `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    serve_within(LIMITS, CONNECTIONS_MAX, listener, None, router, shutdown).await;
}

/// The same over TLS, if a certificate is given. Handlers find [`Https`] among a request's extensions then.
pub async fn serve_tls(listener: TcpListener, tls: Option<Tls>, router: Router, shutdown: CancellationToken) {
    serve_within(LIMITS, CONNECTIONS_MAX, listener, tls, router, shutdown).await;
}

/// Marks a request that came over TLS, as an extension.
#[derive(Clone, Copy, Debug)]
pub struct Https;

async fn serve_within(
    limits: Limits,
    connections_max: usize,
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    shutdown: CancellationToken,
) {
    let router = if tls.is_some() { router.layer(axum::Extension(Https)) } else { router };
    let reloading = tls.clone().map(|tls| tokio::spawn(tls.follow(shutdown.clone())));
    let open = OpenConnections::new(connections_max.min(files_max() / FILES_PART), limits);
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async { open.room().await; listener.accept().await } => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: a connection without a request is closed.
                tracing::warn!(%error, "cannot accept a connection");
                open.evict();
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Responses are small and written at once; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let opened = open.open();
        let number = opened.number();
        let (tls, router, closing) = (tls.clone(), router.clone(), shutdown.clone());
        let task = tokio::spawn(async move {
            let waits = Arc::clone(&opened.waits);
            match tls {
                None => connection::serve(stream, peer, router, waits, closing).await,
                Some(tls) => {
                    if let Some(stream) = shaken(&tls, stream, limits.head).await {
                        connection::serve(stream, peer, router, waits, closing).await;
                    }
                }
            }
            drop(opened);
        });
        open.runs(number, task.abort_handle());
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, open.drained()).await.is_err() {
        tracing::warn!("some requests did not finish within {DRAIN_TIMEOUT:?} and were cut off");
        open.cut();
    }
    if let Some(reloading) = reloading {
        let _ = reloading.await;
    }
}

/// How many files this process may open.
fn files_max() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| limit as usize)
}

async fn shaken(
    tls: &Tls,
    stream: TcpStream,
    timeout: Duration,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    match tokio::time::timeout(timeout, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
