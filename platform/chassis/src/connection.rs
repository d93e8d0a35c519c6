//! One connection of a listener, and when it has waited for long enough.
//!
//! Every wait for a client has a limit here, whatever it speaks and however little it says: until its first request, for
//! the rest of a head, between requests, and while it does not take an answer.

mod answering;
mod open;
mod pulse;
mod timed_io;

pub(crate) use open::OpenConnections;
pub(crate) use pulse::Limits;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use answering::Service;
use pulse::{Pulse, Verdict};
use timed_io::TimedIo;

/// Serves a connection until it ends, is told to by `closing`, or has waited for too long.
pub(crate) async fn serve<I>(
    io: I,
    peer: SocketAddr,
    router: Router,
    pulse: Arc<Pulse>,
    closing: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut server = auto::Builder::new(TokioExecutor::new());
    // The limits on waits are those of the pulse. Never `pipeline_flush`: with it, hyper takes over everything that an
    // answer has, however little of it the client takes.
    server.http1().header_read_timeout(None);
    let service = Service::new(router, peer, Arc::clone(&pulse));
    let mut connection =
        pin!(server.serve_connection(TokioIo::new(TimedIo::new(io, Arc::clone(&pulse))), service));
    let mut closed = pin!(closing.cancelled());
    let mut alarm = pin!(tokio::time::sleep_until(pulse.deadline().0.into()));
    let mut ending = false;
    let ended = poll_fn(|context| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(ended.map_err(|error| error.to_string()));
            }
            if !ending && closed.as_mut().poll(context).is_ready() {
                ending = true;
                pulse.end_soon();
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let (deadline, verdict) = pulse.deadline();
            // An alarm for a later time than the deadline is of before; an earlier one is set again when it rings.
            if tokio::time::Instant::from_std(deadline) < alarm.deadline() {
                alarm.as_mut().reset(deadline.into());
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() < deadline {
                alarm.as_mut().reset(deadline.into());
                continue;
            }
            match verdict {
                Verdict::Close if !ending => {
                    ending = true;
                    pulse.close();
                    connection.as_mut().graceful_shutdown();
                }
                Verdict::Close | Verdict::Cut => {
                    return Poll::Ready(Err(format!(
                        "{:?} passed without what was waited for",
                        pulse.limits()
                    )));
                }
            }
        }
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "a connection broke off");
    }
}
