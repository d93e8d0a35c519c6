//! The advisory locks that a rebuild takes: the one of rebuilds, and the one of the fold.

use event_store::advisory_locks;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::RebuildError;
use crate::store::NAME;

/// The lock of the one rebuild that may run. It lives as long as its connection, so a rebuild that was killed holds nothing.
pub(super) struct RebuildLock(PgConnection);

impl RebuildLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`RebuildError::Busy`] if another process has it.
    pub(super) async fn take(pool: &PgPool) -> Result<Self, RebuildError> {
        let mut connection = pool.connect_options().connect().await?;
        let taken = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock($1, hashtext($2)) AS "taken!""#,
            advisory_locks::REBUILD,
            NAME,
        )
        .fetch_one(&mut connection)
        .await?;
        if taken { Ok(Self(connection)) } else { Err(RebuildError::Busy) }
    }

    /// Locks the live fold: waits for running folds, and makes new ones wait.
    pub(super) async fn lock_fold(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query!("SELECT pg_advisory_lock($1, hashtext($2))", advisory_locks::FOLD, NAME)
            .fetch_one(&mut self.0)
            .await?;
        Ok(())
    }

    /// Unlocks the live fold.
    pub(super) async fn unlock_fold(&mut self) -> Result<(), sqlx::Error> {
        self.unlock(advisory_locks::FOLD).await
    }

    /// Releases the lock, so that the next rebuild can begin at once.
    pub(super) async fn release(mut self) {
        // The server does this too when the connection is closed, but only after some time.
        let _ = self.unlock(advisory_locks::REBUILD).await;
        let _ = self.0.close().await;
    }

    async fn unlock(&mut self, class: i32) -> Result<(), sqlx::Error> {
        sqlx::query!("SELECT pg_advisory_unlock($1, hashtext($2))", class, NAME)
            .fetch_one(&mut self.0)
            .await?;
        Ok(())
    }
}
