use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use metrics::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::GatewayError;

/// Limits the requests in flight, from the head of a request to the last byte of its answer.
pub(crate) struct RequestLimit {
    permits: Arc<Semaphore>,
    in_flight: Gauge,
}

impl RequestLimit {
    pub(crate) fn new(requests_max: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(requests_max.min(Semaphore::MAX_PERMITS))),
            in_flight: metrics::gauge!("daybook_gateway_requests_in_flight"),
        }
    }

    /// Counts one request more.
    ///
    /// # Errors
    /// [`GatewayError::Overloaded`], at once, if that would be one too many.
    pub(crate) fn acquire(&self) -> Result<RequestPermit, GatewayError> {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics::counter!("daybook_gateway_overloaded_total").increment(1);
            return Err(GatewayError::Overloaded);
        };
        self.in_flight.increment(1);
        Ok(RequestPermit { in_flight: self.in_flight.clone(), _permit: permit })
    }
}

/// A request in flight: it no longer counts when this is dropped.
pub(crate) struct RequestPermit {
    in_flight: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl RequestPermit {
    /// Moves the permit into the response's body, to be dropped after its last byte rather than its first: a stream of
    /// history costs as much as the requests that it outlives.
    pub(crate) fn held_by(self, response: Response) -> Response {
        response.map(|body| Body::new(CountedBody { body, _permit: self }))
    }
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        self.in_flight.decrement(1);
    }
}

struct CountedBody {
    body: Body,
    _permit: RequestPermit,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
