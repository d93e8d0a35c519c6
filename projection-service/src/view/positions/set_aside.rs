use domain::{CustomerId, Partition};
use event_store::EventLog;
use sqlx::PgConnection;

use super::least::Least;
use crate::error::ReportsError;
use crate::store::NAME;

/// The most dead letters of a partition that are read for one question.
const SET_ASIDE_MAX: i64 = 2_000;
/// The most discarded events of a partition that are read for one question.
const DISCARDS_MAX: usize = 2_000;

/// Adds the dead letters of a customer and the events that wait behind them, whatever they are about: they have no row.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn see_set_aside(
    connection: &mut PgConnection,
    generation: i32,
    partition: Partition,
    customer: CustomerId,
    least: &mut Least,
) -> Result<(), ReportsError> {
    let rows = sqlx::query!(
        "SELECT position, customer_id FROM dead_letters
          WHERE projection = $1 AND generation = $2 AND partition = $3 AND position > $4 AND position <= $5
          ORDER BY position LIMIT $6",
        NAME,
        generation,
        i32::from(partition.0),
        least.after(),
        least.last(),
        SET_ASIDE_MAX,
    )
    .fetch_all(connection)
    .await?;
    if let Some(last) = rows.last()
        && rows.len() as i64 == SET_ASIDE_MAX
    {
        least.end_at(last.position);
    }
    rows.iter().filter(|row| row.customer_id == customer.0).for_each(|row| least.see(row.position));
    Ok(())
}

/// Adds the discarded events of a customer, which have no row, and the next event of each one's stream: what that one
/// changed may be a state that only the discarded event made. Returns false if there are too many.
///
/// # Errors
/// An error if a database fails.
pub(super) async fn see_discarded(
    connection: &mut PgConnection,
    log: &EventLog,
    partition: Partition,
    customer: CustomerId,
    least: &mut Least,
) -> Result<bool, ReportsError> {
    let discarded = sqlx::query_scalar!(
        "SELECT position FROM discards WHERE projection = $1 AND partition = $2 AND position <= $3
          ORDER BY position LIMIT $4",
        NAME,
        i32::from(partition.0),
        least.last(),
        DISCARDS_MAX as i64 + 1,
    )
    .fetch_all(connection)
    .await?;
    if discarded.len() > DISCARDS_MAX {
        return Ok(false);
    }
    if !discarded.is_empty() {
        for (position, next) in log.with_next(partition, customer, &discarded).await? {
            least.see(position);
            if let Some(next) = next {
                least.see(next);
            }
        }
    }
    Ok(true)
}
