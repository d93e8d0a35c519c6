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
        sqlx::query!("SELECT pg_advisory_unlock($1, hashtext($2))", advisory_locks::FOLD, NAME)
            .fetch_one(&mut self.0)
            .await?;
        Ok(())
    }

    /// Gives everything up.
    pub(super) async fn release(self) {
        // The server does the same by itself when the connection is gone.
        let _ = self.0.close().await;
    }
}
