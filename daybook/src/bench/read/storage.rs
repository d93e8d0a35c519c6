use embedded_postgres::Server;
use sqlx::{Connection, Executor, PgConnection, PgPool};

use crate::bench::database_failure;
use crate::databases::Databases;
use crate::failure::Failure;

/// What resets the peak of a process' memory when it is written to `/proc/self/clear_refs` (proc(5)).
const FORGET_PEAK: &str = "5";
const KIB: u64 = 1_024;

/// The log with its indexes.
pub(super) async fn log_bytes(pool: &PgPool) -> Result<f64, Failure> {
    let bytes: i64 = sqlx::query_scalar("SELECT pg_total_relation_size('events')")
        .fetch_one(pool)
        .await
        .map_err(database_failure)?;
    Ok(bytes as f64)
}

/// The tables of the live generation with their indexes.
pub(super) async fn read_model_bytes(pool: &PgPool) -> Result<f64, Failure> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c, projections p
          WHERE c.relkind = 'r' AND c.relname ~ ('_g' || p.live_generation || '$')",
    )
    .fetch_one(pool)
    .await
    .map_err(database_failure)?;
    Ok(bytes as f64)
}

/// Lets [`peak_bytes`] begin anew with what this process has now.
pub(super) fn forget_peak() {
    // Where the system does not let it, the peak is that of everything before too, which is more.
    let _ = std::fs::write("/proc/self/clear_refs", FORGET_PEAK);
}

/// The most that this process has had in memory, where the system says it: Linux does, in `/proc/self/status`.
pub(super) fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    peak.unwrap_or(0) * KIB
}

/// Lets the server write to disk what it has in memory.
pub(super) async fn checkpoint(server: &Server) -> Result<(), Failure> {
    let mut admin = PgConnection::connect(&server.admin_url()).await.map_err(database_failure)?;
    admin.execute("CHECKPOINT").await.map_err(database_failure)?;
    admin.close().await.map_err(database_failure)
}

/// Makes room for what is measured next.
pub(super) async fn drop_databases(server: &Server, databases: &Databases) -> Result<(), Failure> {
    for url in [&databases.activities, &databases.customers, &databases.reports] {
        let name = url.rsplit('/').next().and_then(|rest| rest.split('?').next()).unwrap_or_default();
        drop_database(server, name).await?;
    }
    Ok(())
}

pub(super) async fn drop_database(server: &Server, name: &str) -> Result<(), Failure> {
    let mut admin = PgConnection::connect(&server.admin_url()).await.map_err(database_failure)?;
    let statement = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(statement.as_str()).await.map_err(database_failure)?;
    admin.close().await.map_err(database_failure)
}
