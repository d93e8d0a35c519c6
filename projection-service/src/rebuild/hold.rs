use event_store::advisory_locks;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::RebuildError;
use crate::store::NAME;

/// The right to rebuild. It lives as long as its connection, so that a rebuild that was killed holds nothing.
pub(super) struct Hold(PgConnection);

impl Hold {
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

    /// Holds the live fold: waits until nobody folds, and lets nobody begin.
    pub(super) async fn fold(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query!("SELECT pg_advisory_lock($1, hashtext($2))", advisory_locks::FOLD, NAME)
            .fetch_one(&mut self.0)
            .await?;
        Ok(())
    }

    /// Lets the live fold go on.
    pub(super) async fn let_go(&mut self) -> Result<(), sqlx::Error> {
        self.unlock(advisory_locks::FOLD).await
    }

    /// Gives everything up, so that the next rebuild can begin at once.
    pub(super) async fn release(mut self) {
        // The server does the same by itself when the connection is gone, but only some time after it was closed.
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
