use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Url;

use super::{PulsarConfig, tls};
use crate::BusError;

const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The broker's administration over HTTP. One connection for each question: they are few.
pub(crate) struct Admin<'a> {
    pub(crate) config: &'a PulsarConfig,
    pub(crate) url: &'a Url,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    /// In words, for an error.
    pub(crate) fn words(&self) -> String {
        format!("{}: {}", self.status, String::from_utf8_lossy(&self.body).trim())
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Admin<'_> {
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, BusError> {
        let failed = |error: String| BusError::Broker(format!("its administration at {}: {error}", self.url));
        match tokio::time::timeout(TIMEOUT, self.exchange(method, path, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error @ BusError::Refused(_))) => Err(error),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {TIMEOUT:?}"))),
        }
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer, BusError> {
        let broken = |error: &dyn std::fmt::Display| BusError::Broker(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect().await?))
                .await
                .map_err(|e| broken(&e))?;
        let host = self.url.host_str().unwrap_or_default();
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.config.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let request = request.body(body).map_err(|error| broken(&error))?;
        let asking = async {
            let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok(Answer { status, body: body.map_err(|error| broken(&error))?.to_bytes() })
        };
        tokio::pin!(asking);
        tokio::pin!(connection);
        tokio::select! {
            answer = &mut asking => answer,
            ended = &mut connection => match ended {
                Ok(()) => asking.await,
                Err(error) => Err(broken(&error)),
            },
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, BusError> {
        let broken = |error: &dyn std::fmt::Display| BusError::Broker(error.to_string());
        let host = self.url.host_str().unwrap_or_default().to_owned();
        let port = self.url.port_or_known_default().unwrap_or(80);
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| broken(&error))?;
        if self.url.scheme() != "https" {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host).map_err(|error| broken(&error))?;
        let connector = tls::connector(self.config.tls_ca.as_deref())?;
        Ok(Box::new(connector.connect(name, stream).await.map_err(|error| broken(&error))?))
    }
}
