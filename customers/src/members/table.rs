use chrono::{DateTime, Utc};
use domain::customer::Role;
use domain::{CustomerId, MemberId};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documented::RoleName;
use crate::error::CustomersError;

/// One of a customer's people, as listed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedMember {
    /// The member's id.
    pub(crate) id: Uuid,
    /// The address, in lower case.
    #[schema(example = "ada@example.com")]
    pub(crate) email: String,
    /// The role, which says what the member may do.
    #[schema(value_type = RoleName)]
    pub(crate) role: Role,
    /// When the member joined.
    pub(crate) added_at: DateTime<Utc>,
}

/// A role by its name in the tables.
pub(crate) fn role(name: String) -> Result<Role, CustomersError> {
    let unreadable = |_| CustomersError::Internal("a role in the read models cannot be read".to_owned());
    serde_json::from_value(name.into()).map_err(unreadable)
}

/// A customer's people by their ids, after the one with which a page ended.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn list(
    pool: &PgPool,
    customer: CustomerId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ListedMember>, CustomersError> {
    let rows = sqlx::query!(
        "SELECT member_id, email, role, added_at FROM members
          WHERE customer_id = $1 AND ($2::uuid IS NULL OR member_id > $2) ORDER BY member_id LIMIT $3",
        customer.0,
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let listed = rows.into_iter().map(|row| {
        Ok(ListedMember {
            id: row.member_id,
            email: row.email,
            role: role(row.role)?,
            added_at: row.added_at,
        })
    });
    listed.collect()
}

/// One of a customer's people.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn find(
    pool: &PgPool,
    customer: CustomerId,
    member: MemberId,
) -> Result<Option<ListedMember>, CustomersError> {
    let row = sqlx::query!(
        "SELECT member_id, email, role, added_at FROM members WHERE customer_id = $1 AND member_id = $2",
        customer.0,
        member.0,
    )
    .fetch_optional(pool)
    .await?;
    let listed = row.map(|row| {
        Ok(ListedMember {
            id: row.member_id,
            email: row.email,
            role: role(row.role)?,
            added_at: row.added_at,
        })
    });
    listed.transpose()
}

/// Deletes the credentials, sessions, resets and invitations of a member who was removed.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn forget(pool: &PgPool, member: MemberId) -> Result<(), CustomersError> {
    let mut transaction = pool.begin().await?;
    // In the order in which a change of password and a log-in lock them.
    sqlx::query!("DELETE FROM credentials WHERE member_id = $1", member.0).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM sessions WHERE member_id = $1", member.0).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM password_resets WHERE member_id = $1", member.0)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!("DELETE FROM new_passwords WHERE member_id = $1", member.0)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!("DELETE FROM invitations WHERE invited_by = $1", format!("member:{member}"))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}
