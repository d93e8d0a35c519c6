//! One connection of a listener, and when it has waited for long enough.
//!
//! Every wait for a client has a limit here, whatever it speaks and however little it says: until its first request, for
//! the rest of a head, between requests, and while it does not read a response.

mod answering;
mod open;
mod timed_io;
mod waits;

pub(crate) use open::OpenConnections;
pub(crate) use waits::Limits;

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

pub use answering::Closing;
use answering::Service;
use timed_io::timed;
use waits::{Verdict, Waits};

/// Serves a connection until it ends, is closed by `closing`, or has waited for too long.
pub(crate) async fn serve<I>(
    io: I,
    peer: SocketAddr,
    router: Router,
    waits: Arc<Waits>,
    closing: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut server = auto::Builder::new(TokioExecutor::new());
    // The limits on waits are those of the waits. Never `pipeline_flush`: with it, hyper takes over everything that an
    // response has, however little of it the client reads. Responses to many requests are gathered below it.
    server.http1().header_read_timeout(None);
    let service = Service::new(router, peer, Arc::clone(&waits), closing.clone());
    let (io, drain) = timed(io, Arc::clone(&waits));
    let mut connection = pin!(server.serve_connection(TokioIo::new(io), service));
    let mut closed = pin!(closing.cancelled());
    let mut alarm = pin!(tokio::time::sleep_until(waits.deadline().0.into()));
    let mut ending = false;
    let ended = poll_fn(|context| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(ended.map_err(|error| error.to_string()));
            }
            if let Poll::Ready(Err(error)) = drain.poll_drain(context) {
                return Poll::Ready(Err(error.to_string()));
            }
            if !ending && closed.as_mut().poll(context).is_ready() {
                ending = true;
                waits.end_soon();
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let (deadline, verdict) = waits.deadline();
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
                    waits.close();
                    connection.as_mut().graceful_shutdown();
                }
                Verdict::Close | Verdict::Cut => {
                    return Poll::Ready(Err(format!(
                        "{:?} passed without what was waited for",
                        waits.limits()
                    )));
                }
            }
        }
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Context;
    use std::time::Duration;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf};

    use super::*;

    const TOGETHER: usize = 10;

    /// A stream that counts how often something is written to it.
    struct Counting(DuplexStream, Arc<AtomicUsize>);

    impl AsyncRead for Counting {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_read(context, buffer)
        }
    }

    impl AsyncWrite for Counting {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            Pin::new(&mut self.0).poll_write(context, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(context)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(context)
        }
    }

    #[tokio::test]
    async fn who_sends_many_requests_without_waiting_gets_the_answers_together() {
        let second = Duration::from_mins(1);
        let waits = Arc::new(Waits::new(Limits { head: second, idle: second, write: second }));
        let (mut client, server) = tokio::io::duplex(1024 * 1024);
        let writes = Arc::new(AtomicUsize::new(0));
        let router = Router::new().route("/", get(|| async { "here" }));
        let io = Counting(server, Arc::clone(&writes));
        let peer = ([127, 0, 0, 1], 1).into();
        let serving = tokio::spawn(serve(io, peer, router, waits, CancellationToken::new()));
        let requests = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(TOGETHER);
        client.write_all(requests.as_bytes()).await.unwrap();
        let mut answers = Vec::new();
        while answers.windows(4).filter(|window| window == b"here").count() < TOGETHER {
            assert!(client.read_buf(&mut answers).await.unwrap() > 0);
        }
        assert!(writes.load(Ordering::SeqCst) <= 2, "{} writes", writes.load(Ordering::SeqCst));
        drop(client);
        serving.await.unwrap();
    }
}
