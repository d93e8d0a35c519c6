use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::internal::{INTERNAL_KEY_HEADER, InternalKey};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

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
    },
    /// In this process.
    Local(Router),
}

/// Why another service gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It cannot be reached, or broke off.
    #[error("unreachable: {0}")]
    Unreachable(String),
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
        if scheme != Scheme::HTTP {
            return Err("must begin with http://".to_owned());
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Ok(Self::Http { scheme, authority, client })
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
    /// Passes a request on, body and all; its path and query stay as they are.
    ///
    /// # Errors
    /// [`UpstreamError::Unreachable`]. A status is no error here.
    pub async fn call(&self, mut request: Request) -> Result<Response, UpstreamError> {
        match self {
            Self::Local(router) => match router.clone().oneshot(request).await {
                Ok(response) => Ok(response),
                Err(never) => match never {},
            },
            Self::Http { scheme, authority, client } => {
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
                    .map_err(|error| UpstreamError::Unreachable(chain(&error)))?;
                Ok(response.map(Body::new))
            }
        }
    }

    /// Asks an internal question and reads the answer.
    ///
    /// # Errors
    /// [`UpstreamError`] for no answer in time, or one that is not 200 with the expected JSON.
    pub async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &'static str,
        question: &Q,
        key: &InternalKey,
        timeout: Duration,
    ) -> Result<A, UpstreamError> {
        let body =
            serde_json::to_vec(question).map_err(|error| UpstreamError::Unreadable(error.to_string()))?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(path);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().extend(HeaderMap::from_iter([
            (header::CONTENT_TYPE, json),
            (INTERNAL_KEY_HEADER, key.header()),
        ]));
        let asking = async {
            let response = self.call(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let bytes: Bytes = body.map_err(|error| UpstreamError::Unreadable(error.to_string()))?.to_bytes();
            if status != StatusCode::OK {
                return Err(UpstreamError::Status(status));
            }
            serde_json::from_slice(&bytes).map_err(|error| UpstreamError::Unreadable(error.to_string()))
        };
        tokio::time::timeout(timeout, asking).await.unwrap_or(Err(UpstreamError::TimedOut(timeout)))
    }
}

/// The error with its causes: "client error: tcp connect error: connection refused".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
