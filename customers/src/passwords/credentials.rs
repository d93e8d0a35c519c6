//! How to log in: the addresses and the passwords' hashes.
//!
//! A sign-up writes two things in two transactions: the credentials here, and the event through the appender. The row comes
//! first, since it makes the address unique. A crash in between leaves a row without a member, with which nobody can log
//! in. It keeps the address for [`RESERVATION_S`], longer than an append
//! can be under way, and then the next sign-up with the address takes it over.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{CustomerId, MemberId};
use sqlx::PgPool;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::hashing::{Passwords, Verified};
use crate::error::CustomersError;

/// How long an address is kept for a sign-up that was not finished, in seconds.
pub(crate) const RESERVATION_S: i64 = 60;

/// What a sign-up reserves.
pub(crate) struct Reservation {
    pub(crate) customer_id: CustomerId,
    pub(crate) member_id: MemberId,
    pub(crate) email: String,
    pub(crate) password_hash: String,
}

/// Reserves an address. The members must have been folded up to the head of the log before, so that a member's
/// row is not taken for one that a crash left.
///
/// # Errors
/// [`CustomersError::EmailTaken`], or the database cannot be used.
pub(crate) async fn reserve(
    pool: &PgPool,
    new: &Reservation,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    let reserved = sqlx::query!(
        "INSERT INTO credentials AS c (member_id, customer_id, email, password_hash, reserved_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (email) DO UPDATE
            SET member_id = excluded.member_id, customer_id = excluded.customer_id,
                password_hash = excluded.password_hash, password_id = NULL, reserved_at = excluded.reserved_at
          WHERE c.reserved_at < $6 AND NOT EXISTS (SELECT FROM members m WHERE m.member_id = c.member_id)",
        new.member_id.0,
        new.customer_id.0,
        new.email,
        new.password_hash,
        now,
        now - TimeDelta::seconds(RESERVATION_S),
    )
    .execute(pool)
    .await?;
    if reserved.rows_affected() == 1 { Ok(()) } else { Err(CustomersError::EmailTaken) }
}

/// A member's credentials.
pub(crate) struct Account {
    pub(crate) member_id: MemberId,
    pub(crate) customer_id: CustomerId,
    /// The address as it was stored at the sign-up.
    pub(crate) email: String,
    pub(crate) password_hash: String,
    /// The id of the password in the log; none for the one with which the member joined.
    pub(crate) password_id: Option<Uuid>,
}

/// The account of an address, if its owner is a member. Addresses from before they were normalized are found too.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn find(pool: &PgPool, email: &str) -> Result<Option<Account>, CustomersError> {
    let row = sqlx::query!(
        "SELECT c.member_id, m.customer_id, c.email, c.password_hash, c.password_id
           FROM credentials c JOIN members m USING (member_id)
          WHERE c.email = ANY ($1) ORDER BY c.email = $2 DESC LIMIT 1",
        &[email.to_owned(), email.nfd().collect()],
        email,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Account {
        member_id: MemberId(row.member_id),
        customer_id: CustomerId(row.customer_id),
        email: row.email,
        password_hash: row.password_hash,
        password_id: row.password_id,
    }))
}

/// Returns the account if the password is its own. Takes the same time if there is no account. A hash that was made of
/// another form of the password is replaced.
///
/// # Errors
/// [`CustomersError::Busy`], or the database cannot be used.
pub(crate) async fn verify(
    pool: &PgPool,
    passwords: &Passwords,
    account: Option<Account>,
    password: String,
) -> Result<Option<Account>, CustomersError> {
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let verified = passwords.verify(password.clone(), hash).await?;
    let account = account.filter(|_| verified != Verified::Wrong);
    if let Some(account) = account.as_ref().filter(|_| verified == Verified::RightInAnotherForm) {
        renew(pool, account, &passwords.hash(password).await?).await?;
    }
    Ok(account)
}

/// Replaces a hash by another one of the same password, unless the password has changed meanwhile.
///
/// # Errors
/// If the database cannot be used.
async fn renew(pool: &PgPool, account: &Account, hash: &str) -> Result<(), CustomersError> {
    sqlx::query!(
        "UPDATE credentials SET password_hash = $3 WHERE member_id = $1 AND password_hash = $2",
        account.member_id.0,
        account.password_hash,
        hash,
    )
    .execute(pool)
    .await?;
    Ok(())
}
