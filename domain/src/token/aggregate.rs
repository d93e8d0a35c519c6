use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{PublicUse, Scope, Scopes, TokenHash};
use crate::aggregate::aggregate;
use crate::decode::event_payload;
use crate::{CustomerId, TokenId};

/// What can happen to a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenEvent {
    /// It was made.
    TokenIssued(TokenIssued),
    /// Another token took its place.
    TokenRotated(TokenRotated),
    /// It was revoked, and is refused from then on.
    TokenRevoked(TokenRevoked),
}

event_payload!(TokenEvent { TokenIssued = "2.0.0", TokenRotated = "1.0.0", TokenRevoked = "1.0.0" });

/// Everything that is known of a token but its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenIssued {
    /// The token.
    pub token_id: TokenId,
    /// Whom it lets in.
    pub customer_id: CustomerId,
    /// The owner's name for it.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// What is looked up.
    pub sha256: TokenHash,
    /// What it may do.
    pub scopes: Scopes,
    /// Its end, if it has one.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it may do although everybody can read it; none for a token that is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicUse>,
}

/// Another token took this one's place; this one ends at `ends_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRotated {
    /// The token that was rotated.
    pub token_id: TokenId,
    /// What edges have in their caches.
    pub sha256: TokenHash,
    /// The one that takes its place.
    pub successor: TokenId,
    /// When this one ends.
    pub ends_at: DateTime<Utc>,
}

/// The token was revoked, and is refused from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRevoked {
    /// The token.
    pub token_id: TokenId,
    /// What edges have in their caches.
    pub sha256: TokenHash,
}

/// A token as it now stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// None before it is issued.
    pub issued: Option<TokenIssued>,
    /// Its end: as issued, or sooner after a rotation.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// What its owner can ask of a token.
#[derive(Clone, Debug)]
pub enum TokenCommand {
    /// Make it.
    IssueToken {
        /// What it is.
        token: TokenIssued,
        /// The present, against which its end is checked.
        now: DateTime<Utc>,
    },
    /// Let another token take its place.
    RotateToken {
        /// The one that takes its place.
        successor: TokenId,
        /// When this one ends.
        ends_at: DateTime<Utc>,
        /// The present.
        now: DateTime<Utc>,
    },
    /// Refuse it from now on.
    RevokeToken {
        /// Who asks: another customer's token does not exist for it.
        customer_id: CustomerId,
    },
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was issued before.
    #[error("the token is issued already")]
    AlreadyIssued,
    /// It was never issued, or not to this customer.
    #[error("there is no such token")]
    NotFound,
    /// It was revoked, and nothing more can happen to it.
    #[error("the token was revoked")]
    Revoked,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// Its end would lie in the past.
    #[error("the token would be expired at once")]
    EndsInThePast,
    /// It would be good for nothing.
    #[error("the token has no scope")]
    NoScope,
    /// Everybody can read it, and it would do more than record.
    #[error("a public token may have the scope ingest and no other")]
    PublicBeyondIngest,
    /// Everybody can read it, and it would be good everywhere or without end.
    #[error("a public token needs 1 to 20 origins and a rate of at most 10,000")]
    PublicWithoutLimits,
    /// The name is empty or too long.
    #[error("the name must have 1 to 100 characters")]
    BadName,
}

impl Token {
    /// The longest name, in characters.
    pub const NAME_CHARS_MAX: usize = 100;

    fn current(&self) -> Result<&TokenIssued, TokenError> {
        let issued = self.issued.as_ref().ok_or(TokenError::NotFound)?;
        if self.revoked { Err(TokenError::Revoked) } else { Ok(issued) }
    }

    fn issue(&self, token: TokenIssued, now: DateTime<Utc>) -> Result<TokenEvent, TokenError> {
        if self.issued.is_some() {
            return Err(TokenError::AlreadyIssued);
        }
        if !(1..=Self::NAME_CHARS_MAX).contains(&token.name.trim().chars().count()) {
            return Err(TokenError::BadName);
        }
        if token.scopes.as_slice().is_empty() {
            return Err(TokenError::NoScope);
        }
        if token.expires_at.is_some_and(|end| end <= now) {
            return Err(TokenError::EndsInThePast);
        }
        if let Some(public) = &token.public {
            if token.scopes.as_slice() != [Scope::Ingest] {
                return Err(TokenError::PublicBeyondIngest);
            }
            if !public.is_within_limits() {
                return Err(TokenError::PublicWithoutLimits);
            }
        }
        Ok(TokenEvent::TokenIssued(token))
    }

    fn rotate(
        &self,
        successor: TokenId,
        ends_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<TokenEvent, TokenError> {
        let issued = self.current()?;
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(TokenError::Expired);
        }
        // A rotation never makes a token live longer.
        let ends_at = self.expires_at.map_or(ends_at, |end| end.min(ends_at));
        let (token_id, sha256) = (issued.token_id, issued.sha256.clone());
        Ok(TokenEvent::TokenRotated(TokenRotated { token_id, sha256, successor, ends_at }))
    }

    fn revoke(&self, customer_id: CustomerId) -> Result<TokenEvent, TokenError> {
        if self.issued.as_ref().is_none_or(|issued| issued.customer_id != customer_id) {
            return Err(TokenError::NotFound);
        }
        let issued = self.current()?;
        Ok(TokenEvent::TokenRevoked(TokenRevoked {
            token_id: issued.token_id,
            sha256: issued.sha256.clone(),
        }))
    }
}

aggregate!(Token = "token", TokenCommand, TokenEvent, TokenError);

impl Token {
    fn decide(&self, command: TokenCommand) -> Result<Option<TokenEvent>, TokenError> {
        match command {
            TokenCommand::IssueToken { token, now } => self.issue(token, now),
            TokenCommand::RotateToken { successor, ends_at, now } => self.rotate(successor, ends_at, now),
            TokenCommand::RevokeToken { customer_id } => self.revoke(customer_id),
        }
        .map(Some)
    }

    fn evolve(&mut self, event: TokenEvent) {
        match event {
            TokenEvent::TokenIssued(issued) => {
                self.expires_at = issued.expires_at;
                self.issued = Some(issued);
            }
            TokenEvent::TokenRotated(rotated) => self.expires_at = Some(rotated.ends_at),
            TokenEvent::TokenRevoked(_) => self.revoked = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone};
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::super::Origin;
    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
    }

    fn token() -> TokenIssued {
        TokenIssued {
            token_id: TokenId(Uuid::from_u128(1)),
            customer_id: CustomerId(Uuid::from_u128(2)),
            name: "ci".into(),
            prefix: "dbk_abcd".into(),
            sha256: TokenHash("00".into()),
            scopes: vec![Scope::Ingest].into(),
            expires_at: Some(now() + TimeDelta::days(1)),
            public: None,
        }
    }

    fn public(origins: usize) -> TokenIssued {
        let allowed_origins = vec![Origin::parse("https://example.com").unwrap(); origins];
        TokenIssued { public: Some(PublicUse { allowed_origins, rate: PublicUse::RATE_DEFAULT }), ..token() }
    }

    fn issued() -> TokenEvent {
        TokenEvent::TokenIssued(token())
    }

    fn revoked() -> TokenEvent {
        TokenEvent::TokenRevoked(TokenRevoked { token_id: token().token_id, sha256: token().sha256 })
    }

    fn issue(token: TokenIssued) -> TokenCommand {
        TokenCommand::IssueToken { token, now: now() }
    }

    fn revoke() -> TokenCommand {
        TokenCommand::RevokeToken { customer_id: token().customer_id }
    }

    fn given(events: Vec<TokenEvent>) -> cqrs_es::test::AggregateTestExecutor<Token> {
        TestFramework::<Token>::with(()).given(events)
    }

    #[test]
    fn a_token_is_issued_once() {
        given(vec![]).when(issue(token())).then_expect_events(vec![issued()]);
        given(vec![issued()]).when(issue(token())).then_expect_error(TokenError::AlreadyIssued);
    }

    #[test]
    fn a_useless_token_is_not_issued() {
        let cases = [
            (TokenIssued { scopes: vec![].into(), ..token() }, TokenError::NoScope),
            (TokenIssued { name: " ".into(), ..token() }, TokenError::BadName),
            (TokenIssued { expires_at: Some(now()), ..token() }, TokenError::EndsInThePast),
        ];
        for (token, error) in cases {
            given(vec![]).when(issue(token)).then_expect_error(error);
        }
    }

    #[test]
    fn a_public_token_records_and_does_nothing_else() {
        given(vec![]).when(issue(public(1))).then_expect_events(vec![TokenEvent::TokenIssued(public(1))]);
        for scopes in [vec![Scope::Read], vec![Scope::Ingest, Scope::Read]] {
            let token = TokenIssued { scopes: scopes.into(), ..public(1) };
            given(vec![]).when(issue(token)).then_expect_error(TokenError::PublicBeyondIngest);
        }
        for origins in [0, PublicUse::ORIGINS_MAX + 1] {
            given(vec![]).when(issue(public(origins))).then_expect_error(TokenError::PublicWithoutLimits);
        }
    }

    #[test]
    fn a_rotation_never_makes_a_token_live_longer() {
        let rotate = |hours| TokenCommand::RotateToken {
            successor: TokenId(Uuid::from_u128(9)),
            ends_at: now() + TimeDelta::hours(hours),
            now: now(),
        };
        let rotated = |hours| {
            TokenEvent::TokenRotated(TokenRotated {
                token_id: token().token_id,
                sha256: token().sha256,
                successor: TokenId(Uuid::from_u128(9)),
                ends_at: now() + TimeDelta::hours(hours),
            })
        };
        given(vec![issued()]).when(rotate(2)).then_expect_events(vec![rotated(2)]);
        given(vec![issued()]).when(rotate(48)).then_expect_events(vec![rotated(24)]);
    }

    #[test]
    fn a_token_is_revoked_once_and_for_good() {
        given(vec![issued()]).when(revoke()).then_expect_events(vec![revoked()]);
        given(vec![issued(), revoked()]).when(revoke()).then_expect_error(TokenError::Revoked);
    }

    #[test]
    fn another_customers_token_does_not_exist() {
        given(vec![issued()])
            .when(TokenCommand::RevokeToken { customer_id: CustomerId(Uuid::from_u128(3)) })
            .then_expect_error(TokenError::NotFound);
    }
}
