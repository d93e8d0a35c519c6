use std::fmt;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq;

use crate::env::{ConfigError, Env};
use crate::problem::Problem;

/// The header by which services recognise each other. The public door removes it from what clients send.
pub const INTERNAL_KEY_HEADER: HeaderName = HeaderName::from_static("x-daybook-internal-key");
/// Who is calling, as the gateway found out from a session; counts only beside the right key.
pub const PRINCIPAL_HEADER: HeaderName = HeaderName::from_static("x-daybook-principal");

/// The secret that services share.
#[derive(Clone)]
pub struct InternalKey(HeaderValue);

/// Shortest accepted secret, in characters.
const CHARS_MIN: usize = 16;

impl std::str::FromStr for InternalKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() < CHARS_MIN {
            return Err(format!("must have at least {CHARS_MIN} characters"));
        }
        let mut value = HeaderValue::from_str(text).map_err(|_| "must be printable ASCII".to_owned())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl InternalKey {
    /// From `DAYBOOK_INTERNAL_KEY`.
    ///
    /// # Errors
    /// [`ConfigError`] if it is missing or too short.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let about = "The secret by which the services recognise each other: the same in all of them, at least 16 characters.";
        env.key("DAYBOOK_INTERNAL_KEY", about).required("change-me-in-production-0123456789")
    }

    /// A fresh secret, for services that live in one process.
    #[must_use]
    pub fn random() -> Self {
        let text = format!("{:032x}", rand::random::<u128>());
        let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("-"));
        value.set_sensitive(true);
        Self(value)
    }

    /// The header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether a request shows the key; takes the same time for every wrong one.
    #[must_use]
    pub fn is_shown_by(&self, headers: &HeaderMap) -> bool {
        headers.get(INTERNAL_KEY_HEADER).is_some_and(|shown| shown.as_bytes().ct_eq(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InternalKey(…)")
    }
}

/// Middleware for `/internal/…`: to anyone without the key these routes do not exist.
pub async fn require_internal_key(
    axum::extract::State(key): axum::extract::State<InternalKey>,
    request: Request,
    next: Next,
) -> Response {
    if key.is_shown_by(request.headers()) {
        next.run(request).await
    } else {
        Problem::not_found("not-found").into_response()
    }
}
