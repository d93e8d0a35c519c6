use std::net::IpAddr;

use access::{Access, Principal, Subject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::customer::Role;
use domain::{CustomerId, MemberId};
use http::HeaderMap;
use http::header::USER_AGENT;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cookies;
use crate::error::CustomersError;
use crate::members;

/// The most sessions of one member; a new one ends the oldest.
const SESSIONS_PER_MEMBER_MAX: i64 = 20;
/// The longest time for which a session that is used is not written.
const REFRESH_INTERVAL: TimeDelta = TimeDelta::hours(1);
/// What is kept of a browser's name for itself, in characters.
const USER_AGENT_CHARS_MAX: usize = 200;

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// After they were last used.
    pub(crate) idle: TimeDelta,
    /// At most.
    pub(crate) absolute: TimeDelta,
}

impl Lifetimes {
    /// When a session that is used now ends, if it is not used again.
    fn end(self, created_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        (now + self.idle).min(created_at + self.absolute)
    }

    /// Often enough that a session in use does not end, whatever its lifetime.
    fn refresh_interval(self) -> TimeDelta {
        REFRESH_INTERVAL.min(self.idle / 10)
    }
}

/// From where somebody logs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) address: Option<IpAddr>,
    user_agent: Option<String>,
}

impl Origin {
    pub(crate) fn of(access: &Access, headers: &HeaderMap) -> Self {
        let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = user_agent.map(|text| text.chars().take(USER_AGENT_CHARS_MAX).collect());
        Self { address: access.client_address(headers), user_agent }
    }
}

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

    /// What the table of sessions knows it by.
    pub(crate) fn id(&self) -> [u8; 32] {
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
    /// Its name in the API.
    pub(crate) name: Uuid,
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

/// Begins a session of a member whose password is the one that was shown, as the log names it. None if the credentials
/// have gone to somebody else or the password has changed meanwhile: no session outlives a change of password that did
/// not know the new one.
///
/// # Errors
/// What the database says.
pub(crate) async fn begin(
    pool: &PgPool,
    member: MemberId,
    password: Option<Uuid>,
    origin: &Origin,
    lifetimes: Lifetimes,
    now: DateTime<Utc>,
) -> Result<Option<SessionSecret>, CustomersError> {
    let secret = SessionSecret::random();
    let mut transaction = pool.begin().await?;
    let begun = sqlx::query!(
        "INSERT INTO sessions
                (id, member_id, customer_id, created_at, expires_at, session_id, last_used_at, address, user_agent)
         SELECT $1, member_id, customer_id, $3, $4, $5, $3, $6, $7 FROM credentials
          WHERE member_id = $2 AND password_id IS NOT DISTINCT FROM $8 FOR SHARE",
        &secret.id(),
        member.0,
        now,
        lifetimes.end(now, now),
        Uuid::now_v7(),
        origin.address.map(|address| address.to_string()),
        origin.user_agent,
        password,
    )
    .execute(&mut *transaction)
    .await?;
    if begun.rows_affected() == 0 {
        return Ok(None);
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
    Ok(Some(secret))
}

/// The session of a cookie, if it is going on; being used, it lasts longer.
///
/// # Errors
/// What the database says.
pub(crate) async fn resolve(
    pool: &PgPool,
    secret: &SessionSecret,
    lifetimes: Lifetimes,
    now: DateTime<Utc>,
) -> Result<Option<Session>, CustomersError> {
    let row = sqlx::query!(
        "SELECT s.session_id, s.created_at, s.last_used_at, c.customer_id, c.name, c.time_zone, m.member_id, m.email,
                m.role
           FROM sessions s JOIN members m USING (member_id) JOIN customers c ON c.customer_id = m.customer_id
          WHERE s.id = $1 AND s.expires_at > $2 AND s.created_at > $3",
        &secret.id(),
        now,
        now - lifetimes.absolute,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.last_used_at <= now - lifetimes.refresh_interval() {
        let end = lifetimes.end(row.created_at, now);
        sqlx::query!(
            "UPDATE sessions SET expires_at = $2, last_used_at = $3 WHERE id = $1",
            &secret.id(),
            end,
            now,
        )
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
        role: members::role(row.role)?,
        name: row.session_id,
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

/// Ends the session that a request shows, if any: whoever logs in leaves the session of before, so that nobody who knew
/// its cookie comes along.
///
/// # Errors
/// What the database says.
pub(crate) async fn end_shown(pool: &PgPool, headers: &HeaderMap) -> Result<(), CustomersError> {
    match cookies::read(headers) {
        Some(shown) => end(pool, &shown).await,
        None => Ok(()),
    }
}

/// A session, as its member sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedSession {
    /// The session, but not what its cookie holds.
    pub(crate) id: Uuid,
    /// When it began.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was last used, to the hour.
    pub(crate) last_used_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    pub(crate) expires_at: DateTime<Utc>,
    /// From where it began, as the public door saw it.
    pub(crate) address: Option<String>,
    /// What the browser called itself then.
    pub(crate) user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
}

/// The sessions of a session's member, the latest first.
///
/// # Errors
/// What the database says.
pub(crate) async fn list(
    pool: &PgPool,
    session: &Session,
    lifetimes: Lifetimes,
    now: DateTime<Utc>,
) -> Result<Vec<ListedSession>, CustomersError> {
    let listed = sqlx::query_as!(
        ListedSession,
        r#"SELECT session_id AS id, created_at, last_used_at, expires_at, address, user_agent,
                  session_id = $4 AS "current!"
             FROM sessions WHERE member_id = $1 AND expires_at > $2 AND created_at > $3
            ORDER BY created_at DESC, session_id"#,
        session.member_id.0,
        now,
        now - lifetimes.absolute,
        session.name,
    )
    .fetch_all(pool)
    .await?;
    Ok(listed)
}

/// Ends one of a member's sessions; answers whether it was there.
///
/// # Errors
/// What the database says.
pub(crate) async fn end_one(pool: &PgPool, member: MemberId, session: Uuid) -> Result<bool, CustomersError> {
    let ended =
        sqlx::query!("DELETE FROM sessions WHERE member_id = $1 AND session_id = $2", member.0, session)
            .execute(pool)
            .await?;
    Ok(ended.rows_affected() == 1)
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
