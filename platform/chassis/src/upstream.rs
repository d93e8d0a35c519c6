use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::backoff::Backoff;
use crate::breaker::Breaker;
use crate::internal::{INTERNAL_KEY_HEADER, InternalKey};
use crate::observe::panicked;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How often a call is retried after a transient error.
const RETRIES_MAX: u32 = 2;
/// The longest waits before the retries.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(100));

/// Another service: over the network, or in this process through the same HTTP interface.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has three of them, and each request uses one")]
pub enum Upstream {
    /// At a base address.
    Http {
        /// `http`.
        scheme: Scheme,
        /// Host and port.
        authority: Authority,
        /// Its connections.
        client: Client<HttpConnector, Body>,
        /// Whether internal calls to it succeed; shared by all clones.
        breaker: Arc<Breaker>,
    },
    /// In this process.
    Local(Router),
}

/// Why a call of another service failed.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It cannot be reached, or broke off.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It has failed too often in a row, and is not called for a moment.
    #[error("not called: it has failed again and again a moment ago")]
    NotCalled,
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It answered with an unexpected status.
    #[error("answered {0}")]
    Status(StatusCode),
    /// It answered something that cannot be read.
    #[error("answered something unreadable: {0}")]
    Unreadable(String),
}

impl std::str::FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("not an address: {error}"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err("must look like http://host:port".to_owned());
        };
        if !scheme.as_str().eq_ignore_ascii_case("http") {
            return Err("must begin with http://".to_owned());
        }
        let scheme = Scheme::HTTP;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Ok(Self::Http { scheme, authority, client, breaker: Arc::default() })
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { authority, .. } => write!(f, "Upstream(http://{authority})"),
            Self::Local(_) => f.write_str("Upstream(local)"),
        }
    }
}

impl Upstream {
    /// Whether it is in this process.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Passes a request on, body and all; its path and query stay as they are.
    ///
    /// # Errors
    /// [`UpstreamError::Unreachable`]. A status is no error here.
    pub async fn call(&self, mut request: Request) -> Result<Response, UpstreamError> {
        match self {
            Self::Local(router) => Ok(contained(router.clone().oneshot(request)).await),
            Self::Http { scheme, authority, client, .. } => {
                let mut parts = http::uri::Parts::default();
                parts.scheme = Some(scheme.clone());
                parts.authority = Some(authority.clone());
                let path = request.uri().path_and_query().cloned();
                parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
                *request.uri_mut() =
                    Uri::from_parts(parts).map_err(|error| UpstreamError::Unreachable(error.to_string()))?;
                *request.version_mut() = http::Version::HTTP_11;
                request.headers_mut().remove(header::HOST);
                let response = client
                    .request(request)
                    .await
                    .map_err(|error| UpstreamError::Unreachable(with_causes(&error)))?;
                Ok(response.map(Body::new))
            }
        }
    }

    /// Makes an internal call and reads its response. The call is retried, a bounded number of times and after a randomised
    /// wait, when the service cannot be reached or returns 502, 503 or 504: so it must be idempotent. A service that fails
    /// again and again is not called for a moment.
    ///
    /// # Errors
    /// [`UpstreamError`] for no response in time, all attempts together, or one that is not 200 with the expected JSON.
    pub async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &'static str,
        question: &Q,
        key: &InternalKey,
        timeout: Duration,
    ) -> Result<A, UpstreamError> {
        let body: Bytes = serde_json::to_vec(question)
            .map_err(|error| UpstreamError::Unreadable(error.to_string()))?
            .into();
        let asking = async {
            for failures in 1..=RETRIES_MAX {
                match self.ask_once(path, body.clone(), key).await {
                    Err(error) if error.is_transient() => tokio::time::sleep(retry_wait(failures)).await,
                    outcome => return outcome,
                }
            }
            self.ask_once(path, body, key).await
        };
        let Ok(outcome) = tokio::time::timeout(timeout, asking).await else {
            self.note(false);
            return Err(UpstreamError::TimedOut(timeout));
        };
        outcome
    }

    async fn ask_once<A: DeserializeOwned>(
        &self,
        path: &'static str,
        body: Bytes,
        key: &InternalKey,
    ) -> Result<A, UpstreamError> {
        if let Self::Http { breaker, .. } = self
            && !breaker.admits(Instant::now())
        {
            return Err(UpstreamError::NotCalled);
        }
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(path);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().extend(HeaderMap::from_iter([
            (header::CONTENT_TYPE, json),
            (INTERNAL_KEY_HEADER, key.header()),
        ]));
        let answered = self.read(request).await;
        self.note(!answered.as_ref().is_err_and(UpstreamError::is_failure));
        let bytes = answered?;
        serde_json::from_slice(&bytes).map_err(|error| UpstreamError::Unreadable(error.to_string()))
    }

    async fn read(&self, request: Request) -> Result<Bytes, UpstreamError> {
        let response = self.call(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let bytes = body.map_err(|error| UpstreamError::Unreadable(error.to_string()))?.to_bytes();
        if status == StatusCode::OK { Ok(bytes) } else { Err(UpstreamError::Status(status)) }
    }

    /// Notes in the breaker how a call went.
    fn note(&self, succeeded: bool) {
        if let Self::Http { breaker, .. } = self {
            if succeeded { breaker.succeeded() } else { breaker.failed(Instant::now()) }
        }
    }
}

impl UpstreamError {
    /// Whether the service is at fault, rather than the call.
    fn is_failure(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) => true,
            Self::Status(status) => status.is_server_error(),
            Self::NotCalled | Self::Unreadable(_) => false,
        }
    }

    /// Whether a retry at once may succeed.
    fn is_transient(&self) -> bool {
        let transient =
            [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
        match self {
            Self::Unreachable(_) => true,
            Self::Status(status) => transient.contains(status),
            Self::NotCalled | Self::TimedOut(_) | Self::Unreadable(_) => false,
        }
    }
}

/// The response of a service in this process; its panic is a 500, as it is over the network. Not a layer of its router: each
/// costs a boxed future and a copy of all that is below it.
async fn contained(answering: impl Future<Output = Result<Response, Infallible>>) -> Response {
    // What the service's state was in the middle of is the same over the network: the next request finds it so too.
    match AssertUnwindSafe(answering).catch_unwind().await {
        Ok(Ok(response)) => response,
        Err(panic) => panicked(panic),
    }
}

/// Between half of the wait and all of it, so that those who failed together do not come back together.
fn retry_wait(failures: u32) -> Duration {
    BACKOFF.after(failures).mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

/// The error with its causes: "client error: tcp connect error: connection refused".
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::post;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// A service that answers with these statuses, the last for ever; counts its questions.
    async fn answering(statuses: &'static [u16]) -> (Upstream, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let answer = move || {
            let n = count.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1);
            async move { (StatusCode::from_u16(statuses[n]).unwrap(), "7") }
        };
        let listener = crate::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/internal/x", post(answer));
        tokio::spawn(crate::serve(listener, router, CancellationToken::new()));
        (url.parse().unwrap(), asked)
    }

    async fn ask(upstream: &Upstream) -> Result<u32, UpstreamError> {
        upstream.ask("/internal/x", &(), &InternalKey::random(), SOON).await
    }

    #[tokio::test]
    async fn a_question_is_asked_again_after_what_may_pass() {
        let (upstream, asked) = answering(&[503, 502, 200]).await;
        assert_eq!(ask(&upstream).await.unwrap(), 7);
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        let (upstream, asked) = answering(&[404, 200]).await;
        assert!(matches!(ask(&upstream).await, Err(UpstreamError::Status(StatusCode::NOT_FOUND))));
        assert_eq!(asked.load(Ordering::SeqCst), 1, "what is wrong stays wrong");
    }

    #[tokio::test]
    async fn a_service_in_trouble_is_not_asked_for_a_moment_by_anybody() {
        let (upstream, asked) = answering(&[500, 500, 500, 500, 500, 200]).await;
        for _ in 0..5 {
            assert!(matches!(ask(&upstream).await, Err(UpstreamError::Status(_))));
        }
        let clone = upstream.clone();
        assert!(matches!(ask(&clone).await, Err(UpstreamError::NotCalled)));
        assert_eq!(asked.load(Ordering::SeqCst), 5);
        let recovering = async {
            while ask(&upstream).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), recovering).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_of_a_service_in_this_process_is_a_500_of_the_service() {
        async fn broken() -> StatusCode {
            tokio::task::yield_now().await;
            panic!("on purpose")
        }
        let upstream = Upstream::Local(Router::new().fallback(broken));
        assert_eq!(upstream.call(Request::default()).await.unwrap().status(), 500);
    }

    #[tokio::test]
    async fn all_attempts_together_take_no_longer_than_asked_for() {
        let upstream = Upstream::Local(Router::new().fallback(std::future::pending::<StatusCode>));
        let answer: Result<u32, _> =
            upstream.ask("/internal/x", &(), &InternalKey::random(), Duration::from_millis(20)).await;
        assert!(matches!(answer, Err(UpstreamError::TimedOut(_))));
    }
}
