//! The fold's advisory lock. Folds share it; a rebuild takes it alone (`rebuild/locks.rs`) while it makes another generation
//! the live one.

use event_store::advisory_locks;
use sqlx::PgConnection;

use crate::store::NAME;

/// Shares the fold's advisory lock until the transaction ends: until then no rebuild makes another generation live.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn lock_fold_shared(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock_shared($1, hashtext($2))::text AS "locked!""#,
        advisory_locks::FOLD,
        NAME
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}
