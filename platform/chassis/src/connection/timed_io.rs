use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::waits::Waits;

/// What is gathered before it is written, in bytes: the responses to many small requests.
const GATHERED_BYTES_MAX: usize = 16 * 1024;

/// A connection's bytes; its [`Waits`] note when they come and go.
///
/// Small responses are gathered until [`Outgoing::poll_drain`], so that a client that sends many requests without waiting
/// gets the responses together. A flush does nothing: the connection drains after it has done what there was to do.
pub(super) struct TimedIo<I>(Arc<Mutex<Outgoing<I>>>);

/// Both directions of a connection, shared between who speaks its protocol and who drains it.
pub(super) struct Outgoing<I> {
    inner: I,
    waits: Arc<Waits>,
    gathered: Vec<u8>,
    /// How much of it is written.
    written: usize,
    /// Whether a write waits for the client.
    blocked: bool,
    /// Whether a flush does.
    flushing: bool,
}

/// The connection's own hold on its bytes.
pub(super) struct Drain<I>(Arc<Mutex<Outgoing<I>>>);

/// The bytes of a connection for its protocol, and for draining.
pub(super) fn timed<I>(inner: I, waits: Arc<Waits>) -> (TimedIo<I>, Drain<I>) {
    let outgoing =
        Outgoing { inner, waits, gathered: Vec::new(), written: 0, blocked: false, flushing: false };
    let shared = Arc::new(Mutex::new(outgoing));
    (TimedIo(Arc::clone(&shared)), Drain(shared))
}

fn lock<I>(shared: &Mutex<Outgoing<I>>) -> MutexGuard<'_, Outgoing<I>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I: AsyncWrite + Unpin> Drain<I> {
    /// Writes what is gathered. Pending until the client has taken all of it.
    pub(super) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut outgoing = lock(&self.0);
        ready!(outgoing.poll_drain(context))?;
        let polled = Pin::new(&mut outgoing.inner).poll_flush(context);
        // A flush that has nothing to do says nothing about a write that waits.
        if polled.is_pending() {
            outgoing.flushing = true;
            outgoing.waits.blocked();
        } else if outgoing.flushing {
            outgoing.flushing = false;
            if !outgoing.blocked {
                outgoing.waits.written();
            }
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> Outgoing<I> {
    /// Polls the connection for a write, and notes whether the client takes it.
    fn poll<T>(&mut self, poll: impl FnOnce(Pin<&mut I>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let polled = poll(Pin::new(&mut self.inner));
        if polled.is_pending() {
            self.blocked = true;
            self.waits.blocked();
        } else if self.blocked {
            self.blocked = false;
            self.waits.written();
        }
        polled
    }

    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gathered = std::mem::take(&mut self.gathered);
        let mut outcome = Poll::Ready(Ok(()));
        while self.written < gathered.len() {
            let rest = &gathered[self.written..];
            match self.poll(|inner| inner.poll_write(context, rest)) {
                Poll::Ready(Ok(0)) => outcome = Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.written += written;
                    continue;
                }
                Poll::Ready(Err(error)) => outcome = Poll::Ready(Err(error)),
                Poll::Pending => outcome = Poll::Pending,
            }
            break;
        }
        self.gathered = gathered;
        if self.written == self.gathered.len() {
            self.gathered.clear();
            self.written = 0;
        }
        outcome
    }

    /// Whether so many more bytes can be gathered.
    fn has_room(&self, bytes: usize) -> bool {
        self.gathered.len() + bytes <= GATHERED_BYTES_MAX
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for TimedIo<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut both = lock(&self.0);
        let before = buffer.filled().len();
        let polled = Pin::new(&mut both.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            both.waits.read();
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for TimedIo<I> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut outgoing = lock(&self.0);
        if !outgoing.has_room(bytes.len()) {
            ready!(outgoing.poll_drain(context))?;
        }
        if outgoing.has_room(bytes.len()) {
            outgoing.gathered.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        outgoing.poll(|inner| inner.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        let mut outgoing = lock(&self.0);
        if !outgoing.has_room(bytes) {
            ready!(outgoing.poll_drain(context))?;
        }
        if outgoing.has_room(bytes) {
            for slice in slices {
                outgoing.gathered.extend_from_slice(slice);
            }
            return Poll::Ready(Ok(bytes));
        }
        outgoing.poll(|inner| inner.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        lock(&self.0).inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut outgoing = lock(&self.0);
        ready!(outgoing.poll_drain(context))?;
        outgoing.poll(|inner| inner.poll_shutdown(context))
    }
}
