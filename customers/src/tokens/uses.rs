//! When tokens were used and from where, as services report. Uses are not events: nobody decided anything.

use std::net::IpAddr;

use access::TokenUse;
use chrono::{DateTime, Utc};
use domain::TokenId;
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

/// The most addresses that are kept of each token; the latest are.
const ADDRESSES_MAX: i64 = 100;

/// From where a token was used, and from when to when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenAddress)]
pub(crate) struct AddressUse {
    /// The client's address, as the public door saw it.
    #[schema(example = "203.0.113.7")]
    pub(crate) address: String,
    /// The first use.
    pub(crate) first_used_at: DateTime<Utc>,
    /// The last use, to the minute.
    pub(crate) last_used_at: DateTime<Utc>,
}

/// From when to when a token was used, and from where.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = TokenUses)]
pub(crate) struct Uses {
    /// The first use.
    pub(crate) first_used_at: Option<DateTime<Utc>>,
    /// The last use, to the minute.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    /// The latest hundred addresses, the latest first.
    pub(crate) addresses: Vec<AddressUse>,
}

/// Stores uses; of each token and address at most once a minute.
///
/// # Errors
/// If the database cannot be used; nothing is then written.
pub(crate) async fn note(pool: &PgPool, uses: &[TokenUse]) -> Result<(), sqlx::Error> {
    let tokens: Vec<Uuid> = uses.iter().map(|noted| noted.token_id.0).collect();
    let firsts: Vec<DateTime<Utc>> = uses.iter().map(|noted| noted.first_used_at).collect();
    let lasts: Vec<DateTime<Utc>> = uses.iter().map(|noted| noted.last_used_at).collect();
    let addresses: Vec<Option<String>> =
        uses.iter().map(|noted| noted.address.as_ref().map(IpAddr::to_string)).collect();
    let mut transaction = pool.begin().await?;
    // In order, so that two reports that share tokens cannot deadlock.
    sqlx::query!(
        "INSERT INTO token_uses AS u (token_id, first_used_at, last_used_at)
         SELECT n.token_id, min(n.first), max(n.last)
           FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS n (token_id, first, last)
          GROUP BY n.token_id ORDER BY n.token_id
         ON CONFLICT (token_id) DO UPDATE
            SET first_used_at = least(u.first_used_at, excluded.first_used_at),
                last_used_at = greatest(u.last_used_at, excluded.last_used_at)
          WHERE u.last_used_at < excluded.last_used_at - interval '1 minute'
             OR u.first_used_at IS NULL OR u.first_used_at > excluded.first_used_at",
        &tokens,
        &firsts,
        &lasts,
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "INSERT INTO token_addresses AS a (token_id, address, first_used_at, last_used_at)
         SELECT n.token_id, n.address, min(n.first), max(n.last)
           FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
                AS n (token_id, address, first, last)
          WHERE n.address IS NOT NULL
          GROUP BY n.token_id, n.address ORDER BY n.token_id, n.address
         ON CONFLICT (token_id, address) DO UPDATE
            SET first_used_at = least(a.first_used_at, excluded.first_used_at),
                last_used_at = greatest(a.last_used_at, excluded.last_used_at)
          WHERE a.last_used_at < excluded.last_used_at - interval '1 minute'
             OR a.first_used_at > excluded.first_used_at",
        &tokens,
        &addresses as &[Option<String>],
        &firsts,
        &lasts,
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "DELETE FROM token_addresses a
          USING (SELECT token_id, address,
                        row_number() OVER (PARTITION BY token_id ORDER BY last_used_at DESC, address) AS place
                   FROM token_addresses WHERE token_id = ANY ($1)) AS old
          WHERE old.place > $2 AND a.token_id = old.token_id AND a.address = old.address",
        &tokens,
        ADDRESSES_MAX,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// The uses of a token.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn of(pool: &PgPool, token: TokenId) -> Result<Uses, sqlx::Error> {
    let span =
        sqlx::query!("SELECT first_used_at, last_used_at FROM token_uses WHERE token_id = $1", token.0)
            .fetch_optional(pool)
            .await?;
    let addresses = sqlx::query_as!(
        AddressUse,
        "SELECT address, first_used_at, last_used_at FROM token_addresses
          WHERE token_id = $1 ORDER BY last_used_at DESC, address",
        token.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(match span {
        Some(span) => {
            Uses { first_used_at: span.first_used_at, last_used_at: Some(span.last_used_at), addresses }
        }
        None => Uses::default(),
    })
}
