use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use domain::token::{Origin, PublicUse, Scope, Scopes};
use domain::{CustomerId, TokenId};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documented::ScopeName;
use crate::error::CustomersError;

/// A token as it is listed; its secret is not kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenAnswer {
    /// The token, but not what its bearer shows.
    pub(crate) id: Uuid,
    /// The owner's name for it.
    #[schema(example = "nightly import")]
    pub(crate) name: String,
    /// The first characters of the secret, to recognise it by.
    #[schema(example = "dbk_4f0A")]
    pub(crate) prefix: String,
    /// What it may do.
    #[schema(value_type = Vec<ScopeName>)]
    pub(crate) scopes: Vec<String>,
    /// When it was issued.
    pub(crate) created_at: DateTime<Utc>,
    /// When it ends, if it does.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked, if it was.
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    /// Whether everybody may read it: it stands in a page, and does nothing but record.
    pub(crate) public: bool,
    /// The pages that may use a public token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["https://example.com"]))]
    pub(crate) allowed_origins: Option<Vec<String>>,
    /// How many requests a second may come with a public token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<i32>,
    /// The token whose place it took; only a successor has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<Uuid>,
}

/// Scopes by their names; none if one is not known.
pub(crate) fn scopes(names: &[String]) -> Option<Scopes> {
    let scopes: Result<Vec<Scope>, ()> = names.iter().map(|name| name.parse()).collect();
    scopes.ok().map(Scopes::from)
}

/// What a public token may do, as its row has it; none if that cannot be read.
pub(crate) fn public_use(origins: &[String], rate: i32) -> Option<PublicUse> {
    let origins: Result<Vec<Origin>, _> = origins.iter().map(|origin| Origin::parse(origin)).collect();
    let rate = u32::try_from(rate).ok().and_then(NonZeroU32::new)?;
    Some(PublicUse { allowed_origins: origins.ok()?, rate })
}

/// A customer's tokens, the newest first, after the one before which a page ended.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn list(
    pool: &PgPool,
    customer: CustomerId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<TokenAnswer>, CustomersError> {
    let tokens = sqlx::query_as!(
        TokenAnswer,
        r#"SELECT t.token_id AS id, t.name, t.prefix, t.scopes, t.created_at, t.expires_at,
                  u.last_used_at AS "last_used_at?", t.revoked_at, t.replaces,
                  t.rate IS NOT NULL AS "public!", t.allowed_origins, t.rate
             FROM tokens t LEFT JOIN token_uses u USING (token_id)
            WHERE t.customer_id = $1 AND ($2::uuid IS NULL OR t.token_id < $2)
            ORDER BY t.token_id DESC LIMIT $3"#,
        customer.0,
        before,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(tokens)
}

/// One of a customer's tokens.
///
/// # Errors
/// [`CustomersError::TokenNotFound`], or the database cannot be used.
pub(crate) async fn find(
    pool: &PgPool,
    customer: CustomerId,
    token: TokenId,
) -> Result<TokenAnswer, CustomersError> {
    let token = sqlx::query_as!(
        TokenAnswer,
        r#"SELECT t.token_id AS id, t.name, t.prefix, t.scopes, t.created_at, t.expires_at,
                  u.last_used_at AS "last_used_at?", t.revoked_at, t.replaces,
                  t.rate IS NOT NULL AS "public!", t.allowed_origins, t.rate
             FROM tokens t LEFT JOIN token_uses u USING (token_id)
            WHERE t.customer_id = $1 AND t.token_id = $2"#,
        customer.0,
        token.0,
    )
    .fetch_optional(pool)
    .await?;
    token.ok_or(CustomersError::TokenNotFound)
}
