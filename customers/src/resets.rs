//! Links with which a member can choose a password without the old one: mailed to the member's own address, or made by
//! the operator. A hash of the link's secret is kept; that it works once, and which one is the newest, the log decides.

use std::sync::Arc;

use access::Cause;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::customer::{Customer, CustomerCommand, PasswordResetRequested};
use domain::{CustomerId, MemberId};
use event_store::{Aggregates, Appender, EventLog, Repository};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::projection::Projection;
use crate::{credentials, fields};

/// How long a link is good for.
pub(crate) const TTL: TimeDelta = TimeDelta::hours(1);
const PREFIX: &str = "dbp_";

/// What a link holds: 32 random bytes.
pub(crate) struct ResetSecret(String);

impl ResetSecret {
    fn random() -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())))
    }

    pub(crate) fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// A link that was made.
pub struct OfferedReset {
    secret: ResetSecret,
    /// The address of the member whom it is for.
    pub email: String,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

impl OfferedReset {
    /// The link, below the address of the public door. Its secret stands behind the `#`, so that no server on the way
    /// sees it.
    #[must_use]
    pub fn url(&self, public_url: &str) -> String {
        format!("{}/reset-password#token={}", public_url.trim_end_matches('/'), self.secret.0)
    }
}

/// Makes links.
#[derive(Clone)]
pub struct PasswordResets {
    pool: PgPool,
    customers: Arc<Aggregates<Customer>>,
    projection: Projection,
}

impl PasswordResets {
    /// Over customers' own log.
    #[must_use]
    pub fn new(log: EventLog, appender: Appender) -> Self {
        let (pool, projection) = (log.pool().clone(), Projection::new(log.clone()));
        Self { pool, customers: Arc::new(Aggregates::new(Repository::new(log, appender))), projection }
    }

    pub(crate) fn of(pool: PgPool, customers: Arc<Aggregates<Customer>>, projection: Projection) -> Self {
        Self { pool, customers, projection }
    }

    /// Makes a link for the member with an address; none if nobody logs in with it. The link made before works no more.
    /// `cause` says who asked for it.
    ///
    /// # Errors
    /// [`CustomersError`]; the same call again is safe.
    pub async fn offer(&self, email: &str, cause: Cause) -> Result<Option<OfferedReset>, CustomersError> {
        self.projection.catch_up().await?;
        let Some(email) = fields::email(email) else { return Ok(None) };
        let Some(account) = credentials::find(&self.pool, &email).await? else { return Ok(None) };
        let (reset_id, secret, now) = (Uuid::now_v7(), ResetSecret::random(), Utc::now());
        let expires_at = now + TTL;
        let (customer_id, member_id) = (account.customer_id, account.member_id);
        // The row comes first: one that no event names is good for nothing.
        keep(&self.pool, reset_id, customer_id, member_id, &secret, now).await?;
        let requested = PasswordResetRequested { member_id, reset_id, expires_at };
        let command = CustomerCommand::RequestPasswordReset(requested);
        self.customers.execute(&customer_id.to_string(), command, cause.into()).await?;
        Ok(Some(OfferedReset { secret, email: account.email, expires_at }))
    }
}

async fn keep(
    pool: &PgPool,
    reset_id: Uuid,
    customer: CustomerId,
    member: MemberId,
    secret: &ResetSecret,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    sqlx::query!("DELETE FROM password_resets WHERE expires_at <= $1", now).execute(pool).await?;
    sqlx::query!(
        "INSERT INTO password_resets (reset_id, customer_id, member_id, secret_sha256, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        reset_id,
        customer.0,
        member.0,
        &secret.hash(),
        now + TTL,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What a link may change.
pub(crate) struct Waiting {
    pub(crate) reset_id: Uuid,
    pub(crate) customer_id: CustomerId,
    pub(crate) member_id: MemberId,
    pub(crate) email: String,
}

/// What a link may change, if it is one that was made. Whether it is still good, the log decides.
///
/// # Errors
/// What the database says.
pub(crate) async fn find(
    pool: &PgPool,
    secret: &ResetSecret,
    now: DateTime<Utc>,
) -> Result<Option<Waiting>, CustomersError> {
    let row = sqlx::query!(
        "SELECT r.reset_id, r.customer_id, r.member_id, m.email
           FROM password_resets r JOIN members m ON m.member_id = r.member_id
          WHERE r.secret_sha256 = $1 AND r.expires_at > $2",
        &secret.hash(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Waiting {
        reset_id: row.reset_id,
        customer_id: CustomerId(row.customer_id),
        member_id: MemberId(row.member_id),
        email: row.email,
    }))
}
