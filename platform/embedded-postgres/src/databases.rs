//! The role and the databases of Daybook.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::Error;

/// The databases, one for each service that keeps something.
pub const DATABASES: [&str; 3] = ["daybook_activities", "daybook_customers", "daybook_reports"];

/// The role that owns them. It is no superuser, so that the log's missing privileges hold for it.
pub(crate) const ROLE: &str = "daybook";

const PREPARE_LIMIT: Duration = Duration::from_secs(30);

/// Makes what is missing.
pub(crate) async fn prepare(admin_url: &str, role_password: &str) -> Result<(), Error> {
    timeout(PREPARE_LIMIT, make_missing(admin_url, role_password))
        .await
        .map_err(|_| Error::TooSlow { what: "preparing the databases", limit: PREPARE_LIMIT })?
        .map_err(Error::from)
}

async fn make_missing(admin_url: &str, role_password: &str) -> sqlx::Result<()> {
    let mut admin = PgConnection::connect(admin_url).await?;
    let existing: Vec<String> = sqlx::query_scalar(
        "SELECT rolname::text FROM pg_roles UNION ALL SELECT datname::text FROM pg_database",
    )
    .fetch_all(&mut admin)
    .await?;
    let is_missing = |name: &str| !existing.iter().any(|found| found == name);
    // Set at every start, for it may have been another one the last time. It has letters and digits only.
    let verb = if is_missing(ROLE) { "CREATE" } else { "ALTER" };
    let statement = format!("{verb} ROLE {ROLE} LOGIN PASSWORD '{role_password}'");
    sqlx::query(&statement).execute(&mut admin).await?;
    for database in DATABASES {
        if is_missing(database) {
            let statement = format!("CREATE DATABASE {database} OWNER {ROLE}");
            sqlx::query(&statement).execute(&mut admin).await?;
        }
    }
    admin.close().await
}
