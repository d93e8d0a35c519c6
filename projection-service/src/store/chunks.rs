use sqlx::PgConnection;
use uuid::Uuid;

use super::GenerationPartition;
use crate::columns::{Ends, RowSet, Segment, off_async};
use crate::error::FlushError;

/// The facts about a chunk that are known without reading its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) rows: i64,
    /// The least and the greatest.
    pub(super) positions: (i64, i64),
    /// The least and the greatest, in microseconds since 1970.
    pub(super) times: (i64, i64),
}

impl Facts {
    pub(super) fn of(rows: &RowSet) -> Self {
        Self { rows: rows.len() as i64, positions: rows.positions(), times: rows.times() }
    }
}

/// Numbers of new chunks, rising.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn take_ids(connection: &mut PgConnection, count: usize) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT nextval('chunk_ids') AS "id!" FROM generate_series(1, $1::bigint)"#,
        count as i64
    )
    .fetch_all(connection)
    .await
}

/// Writes a segment.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn insert_segment(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    (id, level, run): (i64, i16, i64),
    rows: &RowSet,
    ends: &Ends,
) -> Result<(), FlushError> {
    let facts = Facts::of(rows);
    let Segment { columns, types } = off_async(|| rows.to_segment(ends));
    let ended = rows.rows().iter().filter(|row| ends.contains_key(&row.position)).count() as i32;
    let (names, contents): (Vec<String>, Vec<Vec<u8>>) = columns.into_iter().unzip();
    let (types, type_rows): (Vec<String>, Vec<i64>) = types.into_iter().unzip();
    sqlx::query!(
        "INSERT INTO segments (generation, customer_id, id, level, run, rows, first_position, last_position, first_time,
                               last_time, ended_rows, columns, types, type_rows)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        place.generation,
        customer,
        id,
        level,
        run,
        facts.rows as i32,
        facts.positions.0,
        facts.positions.1,
        facts.times.0,
        facts.times.1,
        ended,
        &names,
        &types,
        &type_rows,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO segment_columns (generation, customer_id, segment, name, content)
         SELECT $1, $2, $3, k.name, k.content FROM unnest($4::text[], $5::bytea[]) AS k (name, content)",
        place.generation,
        customer,
        id,
        &names,
        &contents,
    )
    .execute(connection)
    .await?;
    Ok(())
}
