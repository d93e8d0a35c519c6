use chrono::{DateTime, TimeDelta, Utc};
use domain::customer::Role;
use domain::{CustomerId, MemberId};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documented::RoleName;
use crate::error::CustomersError;
use crate::link_secret::LinkSecret;
use crate::members::table::role;

/// How long a link works.
pub(crate) const TTL: TimeDelta = TimeDelta::days(7);
/// The most invitations of one customer that wait at the same time.
const WAITING_MAX: i64 = 200;
/// With which the secrets of these links begin.
pub(super) const LINK_PREFIX: &str = "dbi_";

/// An invitation that waits to be accepted; its link is not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationAnswer {
    /// The invitation, and the member's id once it is accepted.
    pub(crate) id: Uuid,
    /// The address of the invited person.
    #[schema(example = "bob@example.com")]
    pub(crate) email: String,
    /// The role that the member will have.
    #[schema(value_type = RoleName)]
    pub(crate) role: Role,
    /// The inviter: `member:<id>` or `token:<id>`.
    pub(crate) invited_by: String,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
    /// When the link stops working.
    pub(crate) expires_at: DateTime<Utc>,
    /// Whether the address has got an account of another customer meanwhile: the link cannot be accepted then.
    pub(crate) address_in_use: bool,
}

/// Stores an invitation. It replaces an earlier one for the same address, whose link then works no more.
///
/// # Errors
/// [`CustomersError::TooManyInvitations`], or the database cannot be used.
pub(crate) async fn keep(
    pool: &PgPool,
    customer: CustomerId,
    new: &InvitationAnswer,
    secret: &LinkSecret,
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
/// If the database cannot be used.
pub(crate) async fn list(
    pool: &PgPool,
    customer: CustomerId,
    after: Option<Uuid>,
    limit: i64,
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
        Utc::now(),
    )
    .fetch_all(pool)
    .await?;
    let listed = rows.into_iter().map(|row| {
        Ok(InvitationAnswer {
            id: row.invitation_id,
            email: row.email,
            role: role(row.role)?,
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            address_in_use: row.address_in_use,
        })
    });
    listed.collect()
}

/// Withdraws an invitation; returns whether it was there.
///
/// # Errors
/// If the database cannot be used.
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

/// Who may join with a link.
pub(crate) struct Invited {
    pub(crate) customer_id: CustomerId,
    pub(crate) member_id: MemberId,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) by: String,
}

/// Returns the invitation of a link, if it still waits and the inviter may still invite: a link stops working when the
/// owner who made it is removed or changes role.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn find(
    pool: &PgPool,
    secret: &LinkSecret,
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
            role: role(row.role)?,
            by: row.invited_by,
        })
    });
    invited.transpose()
}
