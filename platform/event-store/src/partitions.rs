//! How many partitions a log has: written when it is created, and checked at every start.

use domain::Partitions;
use sqlx::{PgConnection, PgExecutor};

use crate::LogError;

/// How many partitions a log was created with; 0 for one that was never opened by its service.
pub(crate) async fn stored_partitions(executor: impl PgExecutor<'_>) -> Result<u16, sqlx::Error> {
    let stored =
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM log_head"#).fetch_one(executor).await?;
    Ok(stored as u16)
}

/// Creates the partitions of a new log.
pub(crate) async fn create_partitions(
    connection: &mut PgConnection,
    partitions: Partitions,
) -> Result<(), sqlx::Error> {
    let numbers: Vec<i32> = partitions.all().map(|partition| i32::from(partition.0)).collect();
    sqlx::query!("INSERT INTO log_head (partition) SELECT unnest($1::int[])", &numbers)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("INSERT INTO relay_position (partition) SELECT unnest($1::int[])", &numbers)
        .execute(connection)
        .await?;
    Ok(())
}

/// The number of partitions is fixed when a log is created: `hash(customer) mod partitions` says where everything lies.
///
/// # Errors
/// [`LogError::PartitionsDiffer`].
pub(crate) fn check_stored_partitions(stored: u16, configured: Partitions) -> Result<(), LogError> {
    let configured = configured.count();
    if stored == configured { Ok(()) } else { Err(LogError::PartitionsDiffer { stored, configured }) }
}
