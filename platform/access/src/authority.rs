use std::time::Duration;

use async_trait::async_trait;
use chassis::{InternalKey, Upstream};
use chrono::{DateTime, Utc};
use domain::token::TokenHash;
use serde::{Deserialize, Serialize};

use crate::{Principal, TokenUse};

const VALIDATE_PATH: &str = "/internal/tokens/validate";
const VALIDATE_TIMEOUT: Duration = Duration::from_secs(2);
const USES_PATH: &str = "/internal/tokens/uses";
const USES_TIMEOUT: Duration = Duration::from_secs(5);

/// Knows every token: customers, or a service's own tables.
#[async_trait]
pub trait TokenAuthority: Send + Sync + 'static {
    /// Says what a token is good for now.
    ///
    /// # Errors
    /// [`AuthorityError`] if it cannot say; that is no refusal.
    async fn validate(&self, hash: &TokenHash) -> Result<Verdict, AuthorityError>;

    /// Hears of uses of tokens that were validated before. Hearing of the same use again changes nothing.
    ///
    /// # Errors
    /// [`AuthorityError`]; the same uses are then told again later.
    async fn note_uses(&self, uses: &[TokenUse]) -> Result<(), AuthorityError>;
}

/// What an authority says of a token. JSON: `{"valid":{…}}` or `{"refused":"unknown"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It lets its bearer in.
    Valid(Validated),
    /// It does not.
    Refused(Refusal),
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    /// Whom it lets in.
    pub principal: Principal,
    /// Until when, if it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It was never issued.
    Unknown,
    /// It has ended.
    Expired,
    /// It was revoked.
    Revoked,
}

impl Refusal {
    /// As in labels of metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// Why an authority says nothing.
#[derive(Debug, thiserror::Error)]
#[error("the token authority gives no answer: {0}")]
pub struct AuthorityError(pub String);

/// Customers, asked over HTTP: `POST /internal/tokens/validate {"sha256":"…"}`, and told of uses in the background:
/// `POST /internal/tokens/uses {"uses":[…]}`.
#[derive(Clone, Debug)]
pub struct HttpAuthority {
    /// Customers.
    pub upstream: Upstream,
    /// By which customers knows us.
    pub key: InternalKey,
}

#[derive(Serialize)]
struct Question<'a> {
    sha256: &'a TokenHash,
}

/// What edges tell customers of uses.
#[derive(Serialize)]
struct Report<'a> {
    uses: &'a [TokenUse],
}

/// That it was heard.
#[derive(Deserialize)]
struct Heard {}

#[async_trait]
impl TokenAuthority for HttpAuthority {
    async fn validate(&self, hash: &TokenHash) -> Result<Verdict, AuthorityError> {
        let question = Question { sha256: hash };
        let answer = self.upstream.ask(VALIDATE_PATH, &question, &self.key, VALIDATE_TIMEOUT).await;
        answer.map_err(|error| AuthorityError(error.to_string()))
    }

    async fn note_uses(&self, uses: &[TokenUse]) -> Result<(), AuthorityError> {
        let report = Report { uses };
        let heard: Result<Heard, _> = self.upstream.ask(USES_PATH, &report, &self.key, USES_TIMEOUT).await;
        heard.map(|Heard {}| ()).map_err(|error| AuthorityError(error.to_string()))
    }
}
