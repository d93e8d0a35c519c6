use access::{Principal, Subject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::customer::Role;
use domain::{CustomerId, MemberId};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use subtle::ConstantTimeEq;

use crate::error::CustomersError;

/// The most sessions of one member; a new one ends the oldest.
const SESSIONS_PER_MEMBER_MAX: i64 = 20;
/// How often a session that is used is written, in hours.
const REFRESH_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// What a session's cookie holds: 32 bytes of chance.
#[derive(Clone)]
pub(crate) struct SessionSecret(String);

impl SessionSecret {
    fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    pub(crate) fn from_cookie(value: &str) -> Self {
        Self(value.to_owned())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    fn id(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Follows from the secret, so that nothing has to be stored; says nothing about it, nor about the session's id.
    pub(crate) fn csrf_token(&self) -> String {
        URL_SAFE_NO_PAD
            .encode(Sha256::new_with_prefix("daybook csrf token:").chain_update(&self.0).finalize())
    }

    /// Whether a request shows the session's CSRF token; takes the same time for every wrong one.
    pub(crate) fn has_csrf_token(&self, shown: Option<&str>) -> bool {
        shown.is_some_and(|shown| shown.as_bytes().ct_eq(self.csrf_token().as_bytes()).into())
    }
}

/// A session that is going on: who it is, as things stand now.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) customer_id: CustomerId,
    pub(crate) customer_name: String,
    pub(crate) time_zone: Tz,
    pub(crate) member_id: MemberId,
    pub(crate) email: String,
    pub(crate) role: Role,
}

impl Session {
    pub(crate) fn principal(&self) -> Principal {
        Principal {
            customer_id: self.customer_id,
            subject: Subject::Member(self.member_id),
            scopes: self.role.scopes(),
            time_zone: self.time_zone,
        }
    }
}

/// Begins a session of a member.
///
/// # Errors
/// [`CustomersError::EmailTaken`] if the member's credentials have gone to somebody else, or what the database says.
pub(crate) async fn begin(
    pool: &PgPool,
    member: MemberId,
    ttl: TimeDelta,
    now: DateTime<Utc>,
) -> Result<SessionSecret, CustomersError> {
    let secret = SessionSecret::random();
    let mut transaction = pool.begin().await?;
    let begun = sqlx::query!(
        "INSERT INTO sessions (id, member_id, customer_id, created_at, expires_at)
         SELECT $1, member_id, customer_id, $3, $4 FROM credentials WHERE member_id = $2",
        &secret.id(),
        member.0,
        now,
        now + ttl,
    )
    .execute(&mut *transaction)
    .await?;
    if begun.rows_affected() == 0 {
        return Err(CustomersError::EmailTaken);
    }
    sqlx::query!(
        "DELETE FROM sessions
          WHERE member_id = $1
            AND (expires_at <= $2 OR id IN (SELECT id FROM sessions WHERE member_id = $1
                                             ORDER BY created_at DESC, id OFFSET $3))",
        member.0,
        now,
        SESSIONS_PER_MEMBER_MAX,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(secret)
}

/// The session of a cookie, if it is going on; being used, it lasts longer.
///
/// # Errors
/// What the database says.
pub(crate) async fn resolve(
    pool: &PgPool,
    secret: &SessionSecret,
    ttl: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<Session>, CustomersError> {
    let row = sqlx::query!(
        "SELECT s.expires_at, c.customer_id, c.name, c.time_zone, m.member_id, m.email, m.role
           FROM sessions s JOIN members m USING (member_id) JOIN customers c ON c.customer_id = m.customer_id
          WHERE s.id = $1 AND s.expires_at > $2",
        &secret.id(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.expires_at < now + ttl - REFRESH_INTERVAL {
        sqlx::query!("UPDATE sessions SET expires_at = $2 WHERE id = $1", &secret.id(), now + ttl)
            .execute(pool)
            .await?;
    }
    let unreadable =
        |what: &str| CustomersError::Internal(format!("a {what} in the read models cannot be read"));
    Ok(Some(Session {
        customer_id: CustomerId(row.customer_id),
        customer_name: row.name,
        time_zone: row.time_zone.parse().map_err(|_| unreadable("time zone"))?,
        member_id: MemberId(row.member_id),
        email: row.email,
        role: serde_json::from_value(row.role.into()).map_err(|_| unreadable("role"))?,
    }))
}

/// Ends a session.
///
/// # Errors
/// What the database says.
pub(crate) async fn end(pool: &PgPool, secret: &SessionSecret) -> Result<(), CustomersError> {
    sqlx::query!("DELETE FROM sessions WHERE id = $1", &secret.id()).execute(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csrf_token_belongs_to_one_session() {
        let (one, other) = (SessionSecret::random(), SessionSecret::random());
        assert!(one.has_csrf_token(Some(&one.csrf_token())));
        for wrong in [None, Some(""), Some(other.csrf_token().as_str()), Some(one.reveal())] {
            assert!(!one.has_csrf_token(wrong));
        }
        assert_eq!(one.reveal().len(), 43);
    }
}
