use async_trait::async_trait;
use chassis::{InternalKey, Upstream};
use chrono::{DateTime, Utc};
use domain::token::TokenHash;
use serde::{Deserialize, Serialize};

use crate::internal::{InternalCall, NoteTokenUses, ValidateToken};
use crate::{Principal, TokenUse};

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

/// Customers, asked over HTTP.
#[derive(Clone, Debug)]
pub struct HttpAuthority {
    /// Customers.
    pub upstream: Upstream,
    /// By which customers knows us.
    pub key: InternalKey,
}

impl HttpAuthority {
    async fn ask<C: InternalCall>(&self, call: C) -> Result<C::Answer, AuthorityError> {
        call.ask(&self.upstream, &self.key).await.map_err(|error| AuthorityError(error.to_string()))
    }
}

#[async_trait]
impl TokenAuthority for HttpAuthority {
    async fn validate(&self, hash: &TokenHash) -> Result<Verdict, AuthorityError> {
        self.ask(ValidateToken { sha256: hash.clone() }).await
    }

    async fn note_uses(&self, uses: &[TokenUse]) -> Result<(), AuthorityError> {
        self.ask(NoteTokenUses { uses: uses.to_vec() }).await.map(|_| ())
    }
}
