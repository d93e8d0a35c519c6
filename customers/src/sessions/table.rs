use access::{Principal, Subject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::customer::Role;
use domain::{CustomerId, MemberId};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use super::lifetimes::Lifetimes;
use super::origin::Origin;
use super::secret::SessionSecret;
use crate::error::CustomersError;
use crate::members::table::role;

/// The most sessions of one member; a new one ends the oldest.
const SESSIONS_PER_MEMBER_MAX: i64 = 20;

/// A live session and its member, as the read models have them now.
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
            public: None,
        }
    }
}

/// Inserts a session of a member whose password still is `password`, as the log names it. Returns `None` if the password
/// has changed meanwhile or the credentials belong to another member: whoever showed an old password gets no session.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn insert(
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

/// Returns the session of a cookie, if it is live, and lengthens it.
///
/// # Errors
/// If the database cannot be used.
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
        role: role(row.role)?,
        name: row.session_id,
    }))
}

/// Ends a session.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn end(pool: &PgPool, secret: &SessionSecret) -> Result<(), CustomersError> {
    sqlx::query!("DELETE FROM sessions WHERE id = $1", &secret.id()).execute(pool).await?;
    Ok(())
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
/// If the database cannot be used.
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

/// Ends one of a member's sessions; returns whether it was there.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn end_one(pool: &PgPool, member: MemberId, session: Uuid) -> Result<bool, CustomersError> {
    let ended =
        sqlx::query!("DELETE FROM sessions WHERE member_id = $1 AND session_id = $2", member.0, session)
            .execute(pool)
            .await?;
    Ok(ended.rows_affected() == 1)
}
