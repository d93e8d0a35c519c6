use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::RebuildError;
use crate::fold::LOCK_CLASS as FOLD_LOCK_CLASS;
use crate::projections::Definition;

/// Advisory locks of rebuilds, apart from any other use of them in this database.
const LOCK_CLASS: i32 = 0x0DAE;

/// The right to rebuild projections. It lives as long as its connection, so that a rebuild that was killed holds nothing.
pub(super) struct Hold(PgConnection);

impl Hold {
    pub(super) async fn take(
        pool: &PgPool,
        definitions: &[&'static Definition],
    ) -> Result<Self, RebuildError> {
        let mut connection = pool.connect_options().connect().await?;
        for definition in definitions {
            let taken = sqlx::query_scalar!(
                r#"SELECT pg_try_advisory_lock($1, hashtext($2)) AS "taken!""#,
                LOCK_CLASS,
                definition.name,
            )
            .fetch_one(&mut connection)
            .await?;
            if !taken {
                return Err(RebuildError::Busy { projection: definition.name });
            }
        }
        Ok(Self(connection))
    }

    /// Holds the live fold of a projection: waits until nobody folds it, and lets nobody begin.
    pub(super) async fn fold(&mut self, definition: &Definition) -> Result<(), sqlx::Error> {
        sqlx::query!("SELECT pg_advisory_lock($1, hashtext($2))", FOLD_LOCK_CLASS, definition.name)
            .fetch_one(&mut self.0)
            .await?;
        Ok(())
    }

    /// Lets the live fold go on.
    pub(super) async fn let_go(&mut self, definition: &Definition) -> Result<(), sqlx::Error> {
        sqlx::query!("SELECT pg_advisory_unlock($1, hashtext($2))", FOLD_LOCK_CLASS, definition.name)
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
