//! Links with which a member can choose a password without the old one: mailed to the member's own address, or made by
//! the operator. A hash of the link's secret is kept; that it works once, and which one is the newest, the log decides.

use std::sync::Arc;

use access::Cause;
use chrono::{DateTime, TimeDelta, Utc};
use domain::customer::{Customer, CustomerCommand, PasswordResetRequested};
use domain::{CustomerId, MemberId};
use event_store::{Aggregates, Appender, EventLog, Repository};
use sqlx::PgPool;
use uuid::Uuid;

use super::credentials;
use crate::error::CustomersError;
use crate::fields;
use crate::link_secret::LinkSecret;
use crate::projection::Projection;

/// How long a link works.
pub(crate) const TTL: TimeDelta = TimeDelta::hours(1);
/// With which the secrets of these links begin.
const PREFIX: &str = "dbp_";

/// A link that was made.
pub struct OfferedReset {
    secret: LinkSecret,
    /// The address of the member whom it is for.
    pub email: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

impl OfferedReset {
    /// The link, below the address of the public door. Its secret stands behind the `#`, so that no server on the way
    /// sees it.
    #[must_use]
    pub fn url(&self, public_url: &str) -> String {
        format!("{}/reset-password#token={}", public_url.trim_end_matches('/'), self.secret.reveal())
    }
}

/// Makes links to choose a password with.
#[derive(Clone)]
pub struct PasswordResets {
    pool: PgPool,
    customers: Arc<Aggregates<Customer>>,
    projection: Projection,
}

impl PasswordResets {
    /// Links to passwords of the members in this log.
    #[must_use]
    pub fn new(log: EventLog, appender: Appender) -> Self {
        let (pool, projection) = (log.pool().clone(), Projection::new(log.clone()));
        Self { pool, customers: Arc::new(Aggregates::new(Repository::new(log, appender))), projection }
    }

    pub(crate) fn of(pool: PgPool, customers: Arc<Aggregates<Customer>>, projection: Projection) -> Self {
        Self { pool, customers, projection }
    }

    /// Makes a link for the member with an address, and ends the link made before. Returns `None` if nobody logs in with the
    /// address.
    ///
    /// # Errors
    /// [`CustomersError`]; the same call again is safe.
    pub async fn offer(&self, email: &str, cause: Cause) -> Result<Option<OfferedReset>, CustomersError> {
        self.projection.catch_up().await?;
        let Some(email) = fields::email(email) else { return Ok(None) };
        let Some(account) = credentials::find(&self.pool, &email).await? else { return Ok(None) };
        let (reset_id, secret, now) = (Uuid::now_v7(), LinkSecret::random(PREFIX), Utc::now());
        let expires_at = now + TTL;
        let (customer_id, member_id) = (account.customer_id, account.member_id);
        // The row comes first: without an event that names it, it does nothing.
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
    secret: &LinkSecret,
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

/// A link that was made, and whose password it may replace.
pub(crate) struct ResetLink {
    pub(crate) reset_id: Uuid,
    pub(crate) customer_id: CustomerId,
    pub(crate) member_id: MemberId,
    pub(crate) email: String,
}

/// Returns the link with a secret. Whether it still works, the log decides.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn find(
    pool: &PgPool,
    secret: &LinkSecret,
    now: DateTime<Utc>,
) -> Result<Option<ResetLink>, CustomersError> {
    let row = sqlx::query!(
        "SELECT r.reset_id, r.customer_id, r.member_id, m.email
           FROM password_resets r JOIN members m ON m.member_id = r.member_id
          WHERE r.secret_sha256 = $1 AND r.expires_at > $2",
        &secret.hash(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| ResetLink {
        reset_id: row.reset_id,
        customer_id: CustomerId(row.customer_id),
        member_id: MemberId(row.member_id),
        email: row.email,
    }))
}
