use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::GenerationPartition;
use crate::columns::{Ends, RowSet};

/// Writes down which rows have ended.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn insert(
    connection: &mut PgConnection,
    place: GenerationPartition,
    ends: &[(Uuid, &[(i64, i64)])],
) -> Result<(), sqlx::Error> {
    let all = || ends.iter().flat_map(|(customer, ends)| ends.iter().map(|end| (*customer, *end)));
    let customers: Vec<Uuid> = all().map(|(customer, _)| customer).collect();
    if customers.is_empty() {
        return Ok(());
    }
    let (positions, ended): (Vec<i64>, Vec<i64>) = all().map(|(_, end)| end).unzip();
    sqlx::query!(
        "INSERT INTO ends (generation, customer_id, position, ended)
         SELECT $1, k.customer_id, k.position, k.ended
           FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS k (customer_id, position, ended)",
        place.generation,
        &customers,
        &positions,
        &ended,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes away the ends of these rows, to be written into the segment that gets them.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn take(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    rows: &RowSet,
) -> Result<Ends, sqlx::Error> {
    let (first, last) = rows.positions();
    let found = between(connection, generation, customer, first, last).await?;
    if found.is_empty() {
        return Ok(Ends::new());
    }
    let positions: HashSet<i64> = rows.rows().iter().map(|row| row.position).collect();
    let taken: Ends = found.into_iter().filter(|(position, _)| positions.contains(position)).collect();
    remove(connection, generation, customer, &taken.keys().copied().collect::<Vec<_>>()).await?;
    Ok(taken)
}

/// The ends of rows whose positions lie between two, both inclusive, in order.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn between(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    first: i64,
    last: i64,
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT position, ended FROM ends
          WHERE generation = $1 AND customer_id = $2 AND position BETWEEN $3 AND $4 ORDER BY position",
        generation,
        customer,
        first,
        last,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.position, row.ended)).collect())
}

/// # Errors
/// An error if the database fails.
pub(super) async fn remove(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    positions: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM ends WHERE generation = $1 AND customer_id = $2 AND position = ANY ($3)",
        generation,
        customer,
        positions,
    )
    .execute(connection)
    .await?;
    Ok(())
}
