use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{Method, StatusCode};
use chassis::Upstream;
use serde_json::Value;

use crate::failure::Failure;

const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The system's public door, called from within: what we do ourselves goes the way that clients go.
#[derive(Clone)]
pub(crate) struct Door(Upstream);

/// As whom we call.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// No login and no token yet.
    None,
    /// A program.
    Token(String),
    /// A person.
    Session {
        /// `name=value`.
        cookie: String,
        /// Without it, nothing may be written.
        csrf: String,
    },
}

/// A response of the gateway.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    cookie: Option<String>,
}

impl Door {
    pub(crate) fn new(router: Router) -> Self {
        Self(Upstream::Local(router))
    }

    /// Sends a request and reads the response. A status is no error.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        credentials: &Credentials,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        let broken =
            |error: &dyn std::fmt::Display| Failure::Failed(format!("{path} cannot be called: {error}"));
        let mut request = Request::builder().method(method).uri(path);
        match credentials {
            Credentials::None => {}
            Credentials::Token(token) => request = request.header(AUTHORIZATION, format!("Bearer {token}")),
            Credentials::Session { cookie, csrf } => {
                request = request.header(COOKIE, cookie).header("x-csrf-token", csrf);
            }
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request =
            request.body(body.map_or_else(Body::empty, Body::from)).map_err(|error| broken(&error))?;
        let response = self.0.call(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let cookie = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.map_err(|error| broken(&error))?;
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
        Ok(Answer { status, body, cookie })
    }
}

impl Answer {
    /// A text field of the response.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body[field].as_str()
    }

    /// The session that it begins.
    pub(crate) fn session(&self) -> Option<Credentials> {
        let csrf = self.text("csrf_token")?.to_owned();
        Some(Credentials::Session { cookie: self.cookie.clone()?, csrf })
    }

    /// An unexpected response, as an error.
    pub(crate) fn unexpected(&self, action: &str) -> Failure {
        let detail = self.text("detail").or(self.text("title")).unwrap_or_default();
        Failure::Failed(format!("{action}: the answer is {} {detail}", self.status))
    }
}
