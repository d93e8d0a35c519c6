use access::{AuthorityError, Principal, Refusal, Subject, TokenAuthority, TokenUse, Validated, Verdict};
use async_trait::async_trait;
use chrono::Utc;
use domain::token::TokenHash;
use domain::{CustomerId, TokenId};
use sqlx::PgPool;

use super::excess::exceeds_role;
use super::table::{public_use, scopes};
use super::uses;

/// The authority over tokens: their read model. It answers other services, and customers' own callers.
pub(crate) struct OwnAuthority {
    pub(crate) pool: PgPool,
}

#[async_trait]
impl TokenAuthority for OwnAuthority {
    async fn validate(&self, hash: &TokenHash) -> Result<Verdict, AuthorityError> {
        let unable = |error: sqlx::Error| AuthorityError(error.to_string());
        let row = sqlx::query!(
            r#"SELECT t.token_id, t.customer_id, t.scopes, t.expires_at, t.revoked_at, c.time_zone, t.maker,
                      t.allowed_origins, t.rate,
                      m.role AS "role?"
                 FROM tokens t JOIN customers c USING (customer_id) LEFT JOIN members m ON m.member_id = t.maker
                WHERE t.sha256 = $1"#,
            hash.0,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unable)?;
        let unreadable = |what: &str| AuthorityError(format!("a {what} in the read models cannot be read"));
        let is_in_excess = match &row {
            Some(row) => {
                exceeds_role(row.maker, row.role.as_deref(), &row.scopes).ok_or_else(|| unreadable("role"))?
            }
            None => false,
        };
        let now = Utc::now();
        let refusal = match &row {
            None => Some(Refusal::Unknown),
            // Its maker may not issue it any more, and its revocation follows.
            Some(row) if row.revoked_at.is_some() || is_in_excess => Some(Refusal::Revoked),
            Some(row) if row.expires_at.is_some_and(|end| end <= now) => Some(Refusal::Expired),
            Some(_) => None,
        };
        let row = match (row, refusal) {
            (Some(row), None) => row,
            (_, refusal) => return Ok(Verdict::Refused(refusal.unwrap_or(Refusal::Unknown))),
        };
        let public = match (&row.allowed_origins, row.rate) {
            (None, None) => None,
            (Some(origins), Some(rate)) => {
                Some(public_use(origins, rate).ok_or_else(|| unreadable("public token"))?)
            }
            _ => return Err(unreadable("public token")),
        };
        let principal = Principal {
            customer_id: CustomerId(row.customer_id),
            subject: Subject::Token(TokenId(row.token_id)),
            scopes: scopes(&row.scopes).ok_or_else(|| unreadable("scope"))?,
            time_zone: row.time_zone.parse().map_err(|_| unreadable("time zone"))?,
            public,
        };
        Ok(Verdict::Valid(Validated { principal, expires_at: row.expires_at }))
    }

    async fn note_uses(&self, uses: &[TokenUse]) -> Result<(), AuthorityError> {
        uses::note(&self.pool, uses).await.map_err(|error| AuthorityError(error.to_string()))
    }
}
