use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::chunks::{self, Facts};
use super::{GenerationPartition, Sizes};
use crate::columns::{RowSet, off_async};
use crate::error::FlushError;

/// The sizes of a customer's read model, or of what a batch adds to it.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) customer_id: Uuid,
    pub(super) actors: i32,
    pub(super) delta_rows: i32,
    pub(super) small_deltas: i32,
    pub(super) ends: i32,
}

/// Adds to the counts of customers, and returns them, each in the place of what was added.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn add(
    connection: &mut PgConnection,
    place: GenerationPartition,
    added: &[Counts],
) -> Result<Vec<Counts>, FlushError> {
    let customers: Vec<Uuid> = added.iter().map(|counts| counts.customer_id).collect();
    let column = |count: fn(&Counts) -> i32| -> Vec<i32> { added.iter().map(count).collect() };
    let rows = sqlx::query_as!(
        Counts,
        "INSERT INTO stores AS s (generation, customer_id, partition, actors, delta_rows, small_deltas, ends,
                                  large_deltas, new_segments)
         SELECT $1, k.customer_id, $2, k.actors, k.delta_rows, k.small_deltas, k.ends, 0, 0
           FROM unnest($3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[])
                AS k (customer_id, actors, delta_rows, small_deltas, ends)
         ON CONFLICT (generation, customer_id) DO UPDATE
            SET actors = s.actors + excluded.actors, delta_rows = s.delta_rows + excluded.delta_rows,
                small_deltas = s.small_deltas + excluded.small_deltas, ends = s.ends + excluded.ends
         RETURNING customer_id, actors, delta_rows, small_deltas, ends",
        place.generation,
        place.partition,
        &customers,
        &column(|counts| counts.actors),
        &column(|counts| counts.delta_rows),
        &column(|counts| counts.small_deltas),
        &column(|counts| counts.ends),
    )
    .fetch_all(connection)
    .await?;
    let mut stores: HashMap<Uuid, Counts> = rows.into_iter().map(|row| (row.customer_id, row)).collect();
    let missing = FlushError::Inconsistent("a customer has no counts");
    customers.iter().map(|customer| stores.remove(customer)).collect::<Option<_>>().ok_or(missing)
}

/// Writes a delta of each customer.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn insert(
    connection: &mut PgConnection,
    place: GenerationPartition,
    level: i16,
    deltas: &[(Uuid, RowSet)],
) -> Result<(), FlushError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let ids = chunks::take_ids(connection, deltas.len()).await?;
    let customers: Vec<Uuid> = deltas.iter().map(|(customer, _)| *customer).collect();
    let facts: Vec<Facts> = deltas.iter().map(|(_, rows)| Facts::of(rows)).collect();
    let contents: Vec<Vec<u8>> = off_async(|| deltas.iter().map(|(_, rows)| rows.to_delta()).collect());
    let column = |fact: fn(&Facts) -> i64| -> Vec<i64> { facts.iter().map(fact).collect() };
    sqlx::query!(
        "INSERT INTO deltas (generation, customer_id, id, level, rows, first_position, last_position, first_time,
                             last_time, content)
         SELECT $1, k.customer_id, k.id, $2, k.rows, k.first_position, k.last_position, k.first_time, k.last_time,
                k.content
           FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                       $10::bytea[])
                AS k (customer_id, id, rows, first_position, last_position, first_time, last_time, content)",
        place.generation,
        level,
        &customers,
        &ids,
        &column(|facts| facts.rows),
        &column(|facts| facts.positions.0),
        &column(|facts| facts.positions.1),
        &column(|facts| facts.times.0),
        &column(|facts| facts.times.1),
        &contents,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes deltas of a customer away, and returns their rows in the order of the log.
///
/// # Errors
/// An error if the database fails, or if a delta cannot be read.
pub(super) async fn take(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    level_max: i16,
) -> Result<RowSet, FlushError> {
    let contents = sqlx::query_scalar!(
        "DELETE FROM deltas WHERE generation = $1 AND customer_id = $2 AND level <= $3 RETURNING content",
        place.generation,
        customer,
        level_max,
    )
    .fetch_all(connection)
    .await?;
    let mut rows = RowSet::default();
    for content in contents {
        rows.append(&RowSet::of_delta(&content)?);
    }
    rows.sort_by_position();
    Ok(rows)
}

/// The level of deltas that are made of large ones.
pub(super) const LEVEL_MAX: i16 = 2;

/// Makes a large delta of the small ones, and a larger one of these if there are enough of them.
///
/// # Errors
/// An error if the database fails, or if a delta cannot be read.
pub(super) async fn compact(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    sizes: Sizes,
) -> Result<(), FlushError> {
    let large = sqlx::query_scalar!(
        "UPDATE stores SET small_deltas = 0,
                large_deltas = CASE WHEN large_deltas + 1 >= $3 THEN 0 ELSE large_deltas + 1 END
          WHERE generation = $1 AND customer_id = $2 RETURNING large_deltas",
        place.generation,
        customer,
        sizes.deltas,
    )
    .fetch_one(&mut *connection)
    .await?;
    let level = if large == 0 { LEVEL_MAX } else { 1 };
    let rows = take(connection, place, customer, level - 1).await?;
    insert(connection, place, level, &[(customer, rows)]).await
}
