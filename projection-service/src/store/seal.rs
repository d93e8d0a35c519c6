use sqlx::PgConnection;
use uuid::Uuid;

use super::chunks::{insert_segment, take_ids};
use super::{GenerationPartition, Sizes, deltas, ends};
use crate::columns::RowSet;
use crate::error::FlushError;

/// Makes segments of the deltas of a customer and the rows of a batch; what is left over is one delta. A segment has the
/// next rows in the order of the log, so that it does not depend on how the log was cut into batches.
///
/// # Errors
/// An error if the database fails, or if a delta cannot be read.
pub(super) async fn seal(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    added: RowSet,
    sizes: Sizes,
) -> Result<(), FlushError> {
    let mut rows = deltas::take(connection, place, customer, deltas::LEVEL_MAX).await?;
    rows.append(&added);
    drop(added);
    rows.sort_by_position();
    let segments = rows.len() / sizes.segment_rows;
    let ids = take_ids(connection, segments).await?;
    let mut written_ends = 0;
    for (index, id) in ids.into_iter().enumerate() {
        let start = index * sizes.segment_rows;
        let mut part = rows.part(start..start + sizes.segment_rows);
        part.sort_by_time();
        let ends = ends::take(connection, place.generation, customer, &part).await?;
        written_ends += ends.len() as i32;
        insert_segment(connection, place, customer, (id, 0, id), &part, &ends).await?;
    }
    let left = rows.part(segments * sizes.segment_rows..rows.len());
    let left_rows = left.len() as i32;
    if left_rows > 0 {
        deltas::insert(connection, place, 1, &[(customer, left)]).await?;
    }
    sqlx::query!(
        "UPDATE stores SET delta_rows = $3, small_deltas = 0, large_deltas = $4, new_segments = new_segments + $5,
                ends = ends - $6
          WHERE generation = $1 AND customer_id = $2",
        place.generation,
        customer,
        left_rows,
        i32::from(left_rows > 0),
        segments as i32,
        written_ends,
    )
    .execute(connection)
    .await?;
    Ok(())
}
