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
    /// Returns whether a token is valid now, and what it may do.
    ///
    /// # Errors
    /// [`AuthorityError`] if the authority cannot tell, which is no refusal.
    async fn validate(&self, hash: &TokenHash) -> Result<Verdict, AuthorityError>;

    /// Records uses of tokens that were validated before. Recording the same use again changes nothing.
    ///
    /// # Errors
    /// [`AuthorityError`]; the same uses are then reported again later.
    async fn note_uses(&self, uses: &[TokenUse]) -> Result<(), AuthorityError>;
}

/// Whether a token is valid. JSON: `{"valid":{…}}` or `{"refused":"unknown"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is, for this principal.
    Valid(Validated),
    /// It is not.
    Refused(Refusal),
}

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    /// Who calls with it.
    pub principal: Principal,
    /// When it ends, if it does.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a token is not valid.
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
    /// The reason in labels of metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// The authority cannot tell, for this reason.
#[derive(Debug, thiserror::Error)]
#[error("the token authority gives no answer: {0}")]
pub struct AuthorityError(pub String);

/// Customers, asked over HTTP.
#[derive(Clone, Debug)]
pub struct HttpAuthority {
    /// The service customers.
    pub upstream: Upstream,
    /// The secret that services share.
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
