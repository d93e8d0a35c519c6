use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::GatewayError;

/// The requests in flight, of which there is a limited number.
#[derive(Clone)]
pub(crate) struct Flight(Arc<Semaphore>);

impl Flight {
    pub(crate) fn new(requests_max: usize) -> Self {
        Self(Arc::new(Semaphore::new(requests_max.min(Semaphore::MAX_PERMITS))))
    }
}

/// Refuses at once what would be one request too many.
pub(crate) async fn limit(State(flight): State<Flight>, request: Request, next: Next) -> Response {
    let Ok(permit) = flight.0.try_acquire_owned() else {
        metrics::counter!("daybook_gateway_overloaded_total").increment(1);
        return GatewayError::Overloaded.into_response();
    };
    let place = Place::new(permit);
    // The place is free again when the answer's last byte has gone, not its first: a stream of history costs as much as
    // the requests it outlives.
    next.run(request).await.map(|body| Body::new(Held { body, _place: place }))
}

struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Place {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("daybook_gateway_requests_in_flight").increment(1);
        Self(permit)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("daybook_gateway_requests_in_flight").decrement(1);
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
