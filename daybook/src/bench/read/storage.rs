use embedded_postgres::Server;
use sqlx::{Connection, Executor, PgConnection, PgPool};

use crate::bench::database_failure;
use crate::databases::Databases;
use crate::failure::Failure;

/// The size of a page of memory, of which `/proc/self/statm` counts.
const PAGE_BYTES: u64 = 4_096;

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

/// What this process has in memory, where the system says it: Linux does, in `/proc/self/statm` (proc(5)).
pub(super) fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|text| text.split_whitespace().nth(1)).map(str::parse::<u64>);
    pages.and_then(Result::ok).unwrap_or(0) * PAGE_BYTES
}

/// Makes room for what is measured next.
pub(super) async fn drop_databases(server: &Server, names: &Databases) -> Result<(), Failure> {
    let mut admin = PgConnection::connect(&server.admin_url()).await.map_err(database_failure)?;
    for url in [&names.activities, &names.customers, &names.reports] {
        let name = url.rsplit('/').next().and_then(|rest| rest.split('?').next()).unwrap_or_default();
        let statement = format!("DROP DATABASE {name} WITH (FORCE)");
        admin.execute(statement.as_str()).await.map_err(database_failure)?;
    }
    admin.close().await.map_err(database_failure)
}
