use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::linger::linger;

/// How long open requests may take once a service is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take over the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at one listener; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4_096;

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else has the address.
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
        /// Why.
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
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Who sends many requests without waiting for answers gets them together.
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).pipeline_flush(true);
    let connections = GracefulShutdown::new();
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = std::sync::Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some connections to end.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Answers are small and written at once; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(move |request: http::Request<Incoming>| {
            let mut request = linger(request);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let connection = server
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {DRAIN_TIMEOUT:?} and were cut off");
    }
}
