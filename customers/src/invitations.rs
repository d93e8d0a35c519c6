//! Invitations by link. The link's secret is shown to whoever invites, once; a hash of it is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::customer::Role;
use domain::{CustomerId, MemberId};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answers::RoleName;
use crate::error::CustomersError;
use crate::members;

/// How long a link is good for.
pub(crate) const TTL: TimeDelta = TimeDelta::days(7);
/// Invitations of one customer that wait at the same time.
const WAITING_MAX: i64 = 200;
const PREFIX: &str = "dbi_";

/// What a link holds: 32 bytes of chance.
pub(crate) struct InvitationSecret(String);

impl InvitationSecret {
    pub(crate) fn random() -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())))
    }

    pub(crate) fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// An invitation that waits to be accepted; its link is not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationAnswer {
    /// The invitation, and the member's id once it is accepted.
    pub(crate) id: Uuid,
    /// Whom it is for.
    #[schema(example = "bob@example.com")]
    pub(crate) email: String,
    /// As what.
    #[schema(value_type = RoleName)]
    pub(crate) role: Role,
    /// Who invited: `member:<id>` or `token:<id>`.
    pub(crate) invited_by: String,
    /// When.
    pub(crate) created_at: DateTime<Utc>,
    /// Until when the link is good.
    pub(crate) expires_at: DateTime<Utc>,
    /// Whether the address has got an account of another customer meanwhile: the link cannot be accepted then.
    pub(crate) address_in_use: bool,
}

/// Keeps an invitation. One for the same address takes the place of the one before, whose link is then good no more.
///
/// # Errors
/// [`CustomersError::TooManyInvitations`], or what the database says.
pub(crate) async fn keep(
    pool: &PgPool,
    customer: CustomerId,
    new: &InvitationAnswer,
    secret: &InvitationSecret,
) -> Result<(), CustomersError> {
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "DELETE FROM invitations WHERE customer_id = $1 AND (email = $2 OR expires_at <= $3)",
        customer.0,
        new.email,
        new.created_at,
    )
    .execute(&mut *transaction)
    .await?;
    let waiting = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM invitations WHERE customer_id = $1"#,
        customer.0,
    )
    .fetch_one(&mut *transaction)
    .await?;
    if waiting >= WAITING_MAX {
        return Err(CustomersError::TooManyInvitations);
    }
    sqlx::query!(
        "INSERT INTO invitations
                (invitation_id, customer_id, email, role, secret_sha256, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id,
        customer.0,
        new.email,
        new.role.name(),
        &secret.hash(),
        new.invited_by,
        new.created_at,
        new.expires_at,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// A customer's invitations that wait, by their ids, after the one with which a page ended.
///
/// # Errors
/// What the database says.
pub(crate) async fn list(
    pool: &PgPool,
    customer: CustomerId,
    after: Option<Uuid>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<InvitationAnswer>, CustomersError> {
    let rows = sqlx::query!(
        r#"SELECT i.invitation_id, i.email, i.role, i.invited_by, i.created_at, i.expires_at,
                  EXISTS (SELECT FROM credentials c JOIN members m USING (member_id)
                           WHERE c.email = i.email) AS "address_in_use!"
             FROM invitations i
            WHERE i.customer_id = $1 AND ($2::uuid IS NULL OR i.invitation_id > $2) AND i.expires_at > $4
            ORDER BY i.invitation_id LIMIT $3"#,
        customer.0,
        after,
        limit,
        now,
    )
    .fetch_all(pool)
    .await?;
    let listed = rows.into_iter().map(|row| {
        Ok(InvitationAnswer {
            id: row.invitation_id,
            email: row.email,
            role: members::role(row.role)?,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            address_in_use: row.address_in_use,
        })
    });
    listed.collect()
}

/// Withdraws an invitation; answers whether it was there.
///
/// # Errors
/// What the database says.
pub(crate) async fn withdraw(pool: &PgPool, customer: CustomerId, id: Uuid) -> Result<bool, CustomersError> {
    let withdrawn = sqlx::query!(
        "DELETE FROM invitations WHERE customer_id = $1 AND invitation_id = $2",
        customer.0,
        id,
    )
    .execute(pool)
    .await?;
    Ok(withdrawn.rows_affected() == 1)
}

/// Whom a link lets join.
pub(crate) struct Invited {
    pub(crate) customer_id: CustomerId,
    pub(crate) member_id: MemberId,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) by: String,
}

/// The invitation behind a link, if it still waits and whoever invited may still do so: a link that an owner made is
/// not good any more once the owner was removed or became something else.
///
/// # Errors
/// What the database says.
pub(crate) async fn find(
    pool: &PgPool,
    secret: &InvitationSecret,
    now: DateTime<Utc>,
) -> Result<Option<Invited>, CustomersError> {
    let row = sqlx::query!(
        "SELECT invitation_id, customer_id, email, role, invited_by FROM invitations i
          WHERE secret_sha256 = $1 AND expires_at > $2
            AND (EXISTS (SELECT FROM members m WHERE m.customer_id = i.customer_id AND m.role = 'owner'
                                                 AND 'member:' || m.member_id = i.invited_by)
              OR EXISTS (SELECT FROM tokens t WHERE t.customer_id = i.customer_id AND t.revoked_at IS NULL
                                                AND 'token:' || t.token_id = i.invited_by))",
        &secret.hash(),
        now,
    )
    .fetch_optional(pool)
    .await?;
    let invited = row.map(|row| {
        Ok(Invited {
            customer_id: CustomerId(row.customer_id),
            member_id: MemberId(row.invitation_id),
            email: row.email,
            role: members::role(row.role)?,
            by: row.invited_by,
        })
    });
    invited.transpose()
}
