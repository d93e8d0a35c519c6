use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::PgPool;

use crate::error::is_transient;

/// What a trial write takes, in kilobytes: more than an append does.
const TRIAL_KB: i32 = 1_024;
/// SQLSTATE of a disk without room.
const DISK_FULL: &str = "53100";
/// SQLSTATE of a server, or a database, that is read only.
const READ_ONLY: &str = "25006";

/// Whether the database takes what is appended, as the last append or a trial write found out.
#[derive(Clone, Debug)]
pub(super) struct WriteProbe {
    pool: PgPool,
    is_refusing: Arc<AtomicBool>,
}

impl WriteProbe {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, is_refusing: Arc::default() }
    }

    /// An append came to its end.
    pub(super) fn note(&self, outcome: Result<(), &sqlx::Error>) {
        let is_refusing = outcome.is_err_and(is_transient);
        self.is_refusing.store(is_refusing, Ordering::Relaxed);
    }

    /// Writes for trial if the last append was refused: a service that is not ready gets no other append to find out with.
    pub(super) async fn tried_again(&self) -> Result<(), String> {
        if !self.is_refusing.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.write().await {
            Err(error) if is_transient(&error) => {
                tracing::warn!(%error, "the log cannot be written");
                Err(reason(&error).to_owned())
            }
            // A role that may make no temporary tables finds out nothing; the next append does.
            Ok(()) | Err(_) => {
                self.is_refusing.store(false, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// A table that is gone when this returns. Its pages take room where those of the log would.
    async fn write(&self) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SET LOCAL statement_timeout = '1500ms'").execute(&mut *transaction).await?;
        sqlx::query(&format!(
            "CREATE TEMPORARY TABLE daybook_trial ON COMMIT DROP AS
             SELECT repeat(md5(n::text), 30) AS filler FROM generate_series(1, {TRIAL_KB}) AS n"
        ))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }
}

fn reason(error: &sqlx::Error) -> &'static str {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some(DISK_FULL) => "the disk of its database is full",
        Some(READ_ONLY) => "its database is read-only",
        _ => "it cannot be written",
    }
}
