use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use metrics::Histogram;
use pin_project_lite::pin_project;
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use tracing::instrument::Instrumented;
use uuid::Uuid;

use crate::problem::{Problem, REQUEST_ID_HEADER};

/// The longest id that is taken from a client.
const REQUEST_ID_CHARS_MAX: usize = 128;
/// What an id may have beside letters and digits: what a URN, a log line and a page show as it is (RFC 8141).
const REQUEST_ID_SIGNS: &[u8] = b"-._~:@+=/";

/// Gives every request an `x-request-id` and a span, every response the id, and turns a panic into a 500.
pub fn observe(router: Router, service: &'static str) -> Router {
    let identify = tower::layer::layer_fn(move |inner| Identify {
        inner,
        durations: Arc::new(Durations { service, known: RwLock::default() }),
    });
    // One layer for the router: each costs a boxed future and, with every request, a copy of all that is below it.
    router.layer(ServiceBuilder::new().layer(identify).layer(panics()))
}

fn panics() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom(panicked)
}

/// The response of a service that panics.
#[expect(clippy::needless_pass_by_value, reason = "panics come like this")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Problem::internal(format_args!("panic: {}", message.unwrap_or("unknown"))).into_response()
}

/// Names the requests of one route. Written by hand because `axum::middleware::from_fn` copies what is below it once more
/// for every request.
#[derive(Clone)]
struct Identify<S> {
    inner: S,
    durations: Arc<Durations>,
}

impl<S> Service<Request> for Identify<S>
where
    S: Service<Request, Error = Infallible, Response: IntoResponse>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Identified<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let id = match request.headers().get(REQUEST_ID_HEADER) {
            Some(given) if is_request_id(given) => given.clone(),
            _ => new_request_id(),
        };
        request.headers_mut().insert(REQUEST_ID_HEADER, id.clone());
        let route = request.extensions().get::<MatchedPath>().cloned();
        let span = tracing::info_span!(
            "request",
            service = self.durations.service,
            id = id.to_str().unwrap_or("-"),
            route = name(route.as_ref()),
        );
        let method = request.method().clone();
        let began = Instant::now();
        let inner = span.in_scope(|| self.inner.call(request)).instrument(span);
        Identified { inner, durations: Arc::clone(&self.durations), id, route, method, began }
    }
}

pin_project! {
    struct Identified<F> {
        #[pin]
        inner: Instrumented<F>,
        durations: Arc<Durations>,
        id: HeaderValue,
        route: Option<MatchedPath>,
        method: Method,
        began: Instant,
    }
}

impl<F, R> Future for Identified<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(answer) = ready!(this.inner.poll(context));
        let mut response = answer.into_response();
        this.durations.record(this.route.as_ref(), this.method, response.status(), this.began.elapsed());
        response.headers_mut().insert(REQUEST_ID_HEADER, this.id.clone());
        Poll::Ready(Ok(response))
    }
}

fn name(route: Option<&MatchedPath>) -> &str {
    route.map_or("other", MatchedPath::as_str)
}

fn is_request_id(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|text| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || REQUEST_ID_SIGNS.contains(&byte))
    })
}

fn new_request_id() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
}

/// How long the requests of one route took. A histogram is looked up once for each method and status.
struct Durations {
    service: &'static str,
    known: RwLock<Vec<(&'static str, StatusCode, Histogram)>>,
}

impl Durations {
    fn record(&self, route: Option<&MatchedPath>, method: &Method, status: StatusCode, took: Duration) {
        let method = label(method);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, durations)) = known.iter().find(|known| (known.0, known.1) == (method, status)) {
            durations.record(took);
            return;
        }
        drop(known);
        let labels = [
            ("service", self.service.to_owned()),
            ("route", name(route).to_owned()),
            ("method", method.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        let durations = metrics::histogram!("daybook_http_request_duration_seconds", &labels);
        durations.record(took);
        self.known.write().unwrap_or_else(PoisonError::into_inner).push((method, status, durations));
    }
}

/// A method that a client made up is not worth a series of its own.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
