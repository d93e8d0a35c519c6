//! How often somebody may try to log in: counted for the account that is named, whether it exists or not, and for the
//! client's address. A log-in that succeeds does not count.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::error::CustomersError;

/// The most windows that have ended and are deleted at a time.
const FORGOTTEN_MAX: i64 = 100;

/// The most attempts within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInLimits {
    /// The most failed attempts at one account.
    pub account_attempts_max: u32,
    /// The most failed attempts from one address.
    pub address_attempts_max: u32,
    /// The most sign-ups from one address, whether they succeed or not.
    pub sign_ups_max: u32,
    /// How long the window is, from the first attempt.
    pub window: TimeDelta,
}

/// Counts somebody who signs up, unless too many have from the same address. Each costs a password's hash and a customer.
///
/// # Errors
/// [`CustomersError::TooManySignUps`], or the database cannot be used.
pub(crate) async fn sign_up(
    pool: &PgPool,
    limits: LogInLimits,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    let Some(address) = address else { return Ok(()) };
    let key = key("sign-up", &network(address).to_string());
    let counted = count(pool, &[key.to_vec()], limits.window, now).await?;
    let excess = counted.iter().find(|count| i64::from(count.attempts) > i64::from(limits.sign_ups_max));
    match excess {
        Some(count) => {
            Err(CustomersError::TooManySignUps { retry_after_s: seconds_until(count.window_end, now) })
        }
        None => Ok(()),
    }
}

/// Counts somebody who asks for a link to choose a password with, unless too many have for the same address of mail or
/// from the same client: each costs a mail.
///
/// # Errors
/// [`CustomersError::TooManyResets`], or the database cannot be used.
pub(crate) async fn reset(
    pool: &PgPool,
    limits: LogInLimits,
    email: &str,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), CustomersError> {
    let account = key("reset", email);
    let client = address.map(|address| key("reset-address", &network(address).to_string()));
    let keys: Vec<Vec<u8>> = [Some(account), client].into_iter().flatten().map(|key| key.to_vec()).collect();
    let counted = count(pool, &keys, limits.window, now).await?;
    let excess = counted.iter().filter(|count| {
        let is_account = count.key == account;
        let max = if is_account { limits.account_attempts_max } else { limits.address_attempts_max };
        i64::from(count.attempts) > i64::from(max)
    });
    match excess.map(|count| count.window_end).max() {
        Some(end) => Err(CustomersError::TooManyResets { retry_after_s: seconds_until(end, now) }),
        None => Ok(()),
    }
}

/// Deletes the count of an account, whose owner has chosen a new password.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn forgive(pool: &PgPool, email: &str) -> Result<(), CustomersError> {
    let key = key("account", email);
    sqlx::query!("DELETE FROM log_in_attempts WHERE key = $1", &key).execute(pool).await?;
    Ok(())
}

/// What is counted for one key.
struct Count {
    key: Vec<u8>,
    attempts: i32,
    window_end: DateTime<Utc>,
}

/// Counts one more for each key, and deletes some windows that have ended.
async fn count(
    pool: &PgPool,
    keys: &[Vec<u8>],
    window: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<Count>, CustomersError> {
    // In order, so that two attempts that share a key cannot deadlock.
    let counted = sqlx::query_as!(
        Count,
        "INSERT INTO log_in_attempts AS a (key, attempts, window_end)
         SELECT n.key, 1, $2 FROM unnest($1::bytea[]) AS n (key) ORDER BY n.key
         ON CONFLICT (key) DO UPDATE
            SET attempts = CASE WHEN a.window_end <= $3 THEN 1 ELSE least(a.attempts + 1, 1000000) END,
                window_end = CASE WHEN a.window_end <= $3 THEN excluded.window_end ELSE a.window_end END
         RETURNING key, attempts, window_end",
        keys,
        now + window,
        now,
    )
    .fetch_all(pool)
    .await?;
    sqlx::query!(
        "DELETE FROM log_in_attempts WHERE key IN
                (SELECT key FROM log_in_attempts WHERE window_end <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
        now,
        FORGOTTEN_MAX,
    )
    .execute(pool)
    .await?;
    Ok(counted)
}

fn seconds_until(end: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    (end - now).num_seconds().max(1).unsigned_abs()
}

/// An attempt whose outcome is not known yet.
pub(crate) struct Attempt {
    limits: LogInLimits,
    account: Option<[u8; 32]>,
    address: Option<[u8; 32]>,
}

fn key(kind: &str, name: &str) -> [u8; 32] {
    Sha256::new_with_prefix(kind).chain_update(":").chain_update(name).finalize().into()
}

/// What one client has: an address of IPv4, or the network of an address of IPv6, in which it can choose any other.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

impl Attempt {
    /// Begins an attempt at an account, or with a secret that names none, unless too many attempts have failed. Attempts under
    /// way are not counted yet; there are never more of them than passwords may wait to be hashed.
    ///
    /// # Errors
    /// [`CustomersError::TooManyLogIns`], or the database cannot be used.
    pub(crate) async fn begin(
        pool: &PgPool,
        limits: LogInLimits,
        account: Option<&str>,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Self, CustomersError> {
        let this = Self {
            limits,
            account: account.map(|account| key("account", account)),
            address: address.map(|address| key("address", &network(address).to_string())),
        };
        let counted = sqlx::query!(
            "SELECT key, attempts, window_end FROM log_in_attempts WHERE key = ANY ($1) AND window_end > $2",
            &this.keys(),
            now,
        )
        .fetch_all(pool)
        .await?;
        let excess = counted.iter().filter(|row| {
            let is_account = this.account.is_some_and(|account| row.key == account);
            let max = if is_account { limits.account_attempts_max } else { limits.address_attempts_max };
            i64::from(row.attempts) >= i64::from(max)
        });
        match excess.map(|row| row.window_end).max() {
            Some(end) => Err(CustomersError::TooManyLogIns { retry_after_s: seconds_until(end, now) }),
            None => Ok(this),
        }
    }

    fn keys(&self) -> Vec<Vec<u8>> {
        [self.account, self.address].into_iter().flatten().map(|key| key.to_vec()).collect()
    }

    /// The attempt failed, and counts.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub(crate) async fn failed(self, pool: &PgPool, now: DateTime<Utc>) -> Result<(), CustomersError> {
        count(pool, &self.keys(), self.limits.window, now).await?;
        Ok(())
    }

    /// The attempt succeeded: the account's count is deleted.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub(crate) async fn succeeded(self, pool: &PgPool) -> Result<(), CustomersError> {
        let Some(account) = self.account else { return Ok(()) };
        sqlx::query!("DELETE FROM log_in_attempts WHERE key = $1", &account).execute(pool).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_many_addresses_is_one_client() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("10.0.0.1"), network("10.0.0.2"));
    }
}
