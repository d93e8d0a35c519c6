use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue, Response, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower::util::Oneshot;

use super::waits::Waits;
use crate::linger::linger;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// The largest part of a response that is handed over at once, in bytes: how little a client may take within the limit.
const PART_BYTES_MAX: usize = 64 * 1024;

/// A router for the requests of one connection.
pub(super) struct Service {
    router: Router,
    peer: SocketAddr,
    waits: Arc<Waits>,
    /// How long the connection waits for a next request, in the words of the header.
    keep_alive: HeaderValue,
    closing: Closing,
}

/// Cancelled when the listener of a request stops, as one of its extensions: what would go on for long can end in time.
#[derive(Clone, Debug)]
pub struct Closing(Arc<CancellationToken>);

impl Closing {
    /// Waits until the listener stops.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }

    /// Whether it stops.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Default for Closing {
    /// One that never is.
    fn default() -> Self {
        Self(Arc::new(CancellationToken::new()))
    }
}

impl Service {
    pub(super) fn new(
        router: Router,
        peer: SocketAddr,
        waits: Arc<Waits>,
        closing: CancellationToken,
    ) -> Self {
        let timeout = format!("timeout={}", waits.limits().idle.as_secs());
        let keep_alive = HeaderValue::try_from(timeout).unwrap_or(HeaderValue::from_static("timeout=1"));
        Self { router, peer, waits, keep_alive, closing: Closing(Arc::new(closing)) }
    }
}

impl hyper::service::Service<http::Request<Incoming>> for Service {
    type Response = Response<Counted>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: http::Request<Incoming>) -> Answering {
        let keep_alive = stays(request.version(), request.headers()).then(|| self.keep_alive.clone());
        let number = self.waits.begin(request.version() >= Version::HTTP_2);
        let in_flight = InFlight { waits: Arc::clone(&self.waits), number };
        let mut request = linger(request);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request.extensions_mut().insert(self.closing.clone());
        Answering { answer: self.router.clone().oneshot(request), keep_alive, in_flight: Some(in_flight) }
    }
}

/// Whether the client means to go on with the connection, so that `Keep-Alive` can say for how long.
fn stays(version: Version, headers: &HeaderMap) -> bool {
    let ends = |value: &HeaderValue| {
        value.to_str().is_ok_and(|text| text.split(',').any(|one| one.trim().eq_ignore_ascii_case("close")))
    };
    version == Version::HTTP_11 && !headers.get_all(CONNECTION).iter().any(ends)
}

/// A request that is not answered to the end, until dropped.
struct InFlight {
    waits: Arc<Waits>,
    number: u64,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.waits.end(self.number);
    }
}

pin_project! {
    /// A response on its way.
    pub(super) struct Answering {
        #[pin]
        answer: Oneshot<Router, Request>,
        keep_alive: Option<HeaderValue>,
        in_flight: Option<InFlight>,
    }
}

impl Future for Answering {
    type Output = Result<Response<Counted>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.answer.poll(context));
        if let Some(keep_alive) = this.keep_alive.take()
            && !response.headers().contains_key(CONNECTION)
            && !this.in_flight.as_ref().is_some_and(|in_flight| in_flight.waits.is_ending())
        {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("keep-alive"));
            response.headers_mut().insert(KEEP_ALIVE, keep_alive);
        }
        let in_flight = this.in_flight.take();
        Poll::Ready(Ok(response.map(|body| Counted { body, rest: Bytes::new(), in_flight })))
    }
}

/// The body of a response, handed over in parts; its request is in flight until it ends.
pub(super) struct Counted {
    body: Body,
    /// What is left of a part that was too large.
    rest: Bytes,
    in_flight: Option<InFlight>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Some(in_flight) = &this.in_flight {
            in_flight.waits.ask(in_flight.number);
        }
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => {
                    this.in_flight = None;
                    return Poll::Ready(ended);
                }
            }
        }
        let part = this.rest.split_to(this.rest.len().min(PART_BYTES_MAX));
        if let Some(in_flight) = &this.in_flight {
            in_flight.waits.hand(in_flight.number);
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}
