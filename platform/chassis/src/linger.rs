use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::EXPECT;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// How much of an unwanted body is still read, in bytes.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);

/// A request's body, which is read on to its end when it is given up early.
///
/// A service that answers 413 stops reading. Closing a connection on which bytes are still coming makes the kernel
/// reset it, and a reset destroys the answer before the client has seen it (RFC 9112, 9.6): so the rest is read and
/// thrown away, within limits.
struct Lingering {
    body: Option<Incoming>,
}

/// Gives a request a body that lingers. Not one that waits for `100 Continue`: an early answer means it never comes.
pub(crate) fn linger(request: http::Request<Incoming>) -> Request {
    let waits = request.headers().contains_key(EXPECT);
    request.map(|body| {
        if waits || body.is_end_stream() {
            Body::new(body)
        } else {
            Body::new(Lingering { body: Some(body) })
        }
    })
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER_TIMEOUT, discard(body)));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > LINGER_BYTES_MAX {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use http::StatusCode;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_util::sync::CancellationToken;

    const BODY_BYTES: usize = 12 * 1024 * 1024;

    #[tokio::test]
    async fn a_client_that_sends_on_still_sees_the_early_answer() {
        let listener = crate::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(|| async { StatusCode::PAYLOAD_TOO_LARGE }));
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(crate::serve(listener, router, shutdown.clone()));

        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {BODY_BYTES}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; BODY_BYTES]).await.unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");

        shutdown.cancel();
        server.await.unwrap();
    }
}
