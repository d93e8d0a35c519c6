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

/// The requests in flight, of which there is a limited number.
pub(crate) struct Flight {
    places: Arc<Semaphore>,
    taken: Gauge,
}

impl Flight {
    pub(crate) fn new(requests_max: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(requests_max.min(Semaphore::MAX_PERMITS))),
            taken: metrics::gauge!("daybook_gateway_requests_in_flight"),
        }
    }

    /// A place for one request more.
    ///
    /// # Errors
    /// [`GatewayError::Overloaded`], at once, if that would be one too many.
    pub(crate) fn enter(&self) -> Result<Place, GatewayError> {
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            metrics::counter!("daybook_gateway_overloaded_total").increment(1);
            return Err(GatewayError::Overloaded);
        };
        self.taken.increment(1);
        Ok(Place { taken: self.taken.clone(), _permit: permit })
    }
}

/// A place among the requests in flight, until it is dropped.
pub(crate) struct Place {
    taken: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Keeps the place until the answer's last byte has gone, not its first: a stream of history costs as much as the
    /// requests it outlives.
    pub(crate) fn kept_by(self, response: Response) -> Response {
        response.map(|body| Body::new(Held { body, _place: self }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.decrement(1);
    }
}

struct Held {
    body: Body,
    _place: Place,
}

impl HttpBody for Held {
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
