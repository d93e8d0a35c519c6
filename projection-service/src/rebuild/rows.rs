//! The rows of a customer in one generation, in a form that does not depend on chunks and numbers.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::ops::Range;

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::columns::{Ends, Row, RowSet, Unreadable, off_async};
use crate::error::FlushError;
use crate::store::{ends_between, read_segment};

/// The number of positions in a range that has one sum.
const RANGE_POSITIONS: i64 = 4_096;

/// For each range of positions that has rows: the sum of a hash of each row. Rows in any order give the same sum.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Sums(BTreeMap<i64, (u64, u128)>);

impl Sums {
    fn add(&mut self, position: i64, row: &str) {
        let digest = Sha256::digest(row.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        let (rows, sum) = self.0.entry(position / RANGE_POSITIONS).or_default();
        *rows += 1;
        *sum = sum.wrapping_add(u128::from_le_bytes(bytes));
    }

    /// The ranges of positions in which two generations differ, in order.
    pub(super) fn different_from(&self, other: &Self) -> Vec<Range<i64>> {
        let mut ranges: Vec<i64> = self.0.keys().chain(other.0.keys()).copied().collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges.retain(|range| self.0.get(range) != other.0.get(range));
        ranges.into_iter().map(|range| range * RANGE_POSITIONS..(range + 1) * RANGE_POSITIONS).collect()
    }
}

/// The rows of a customer as sums, and the chunks that cannot be read.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) sums: Sums,
    /// Chunks that cannot be read, and why.
    pub(super) unreadable: Vec<String>,
}

/// A chunk of a customer.
struct Chunk {
    id: i64,
    is_segment: bool,
    positions: (i64, i64),
}

/// The sums of all rows of a customer.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn sums(
    snapshot: &mut PgConnection,
    generation: i32,
    customer: Uuid,
) -> Result<Contents, FlushError> {
    let mut contents = Contents::default();
    let actors = actors(snapshot, generation, customer).await?;
    for chunk in chunks(snapshot, generation, customer).await? {
        match read(snapshot, generation, customer, &chunk).await? {
            Ok((rows, ends)) => off_async(|| {
                for row in rows.rows() {
                    contents.sums.add(row.position, &row_text(&rows, row, &ends, &actors));
                }
            }),
            Err(error) => {
                let (first, last) = chunk.positions;
                let kind = if chunk.is_segment { "segment" } else { "delta" };
                contents
                    .unreadable
                    .push(format!("{kind} {} with positions {first} to {last}: {error}", chunk.id));
            }
        }
    }
    Ok(contents)
}

/// The rows of a customer in a range of positions, as texts.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn rows(
    snapshot: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    range: Range<i64>,
) -> Result<BTreeMap<i64, Vec<String>>, FlushError> {
    let actors = actors(snapshot, generation, customer).await?;
    let mut texts: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for chunk in chunks(snapshot, generation, customer).await? {
        if chunk.positions.0 >= range.end || chunk.positions.1 < range.start {
            continue;
        }
        let Ok((rows, ends)) = read(snapshot, generation, customer, &chunk).await? else { continue };
        for row in rows.rows().iter().filter(|row| range.contains(&row.position)) {
            texts.entry(row.position).or_default().push(row_text(&rows, row, &ends, &actors));
        }
    }
    Ok(texts)
}

/// All fields of a row as a text; equal rows give the same text.
fn row_text(rows: &RowSet, row: &Row, ends: &Ends, actors: &[String]) -> String {
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    // If a key occurs twice, the last value counts.
    fields.extend(rows.fields_of(row));
    let actor = actors.get(row.actor as usize).map_or("(nobody)", String::as_str);
    let mut text = format!(
        "{{first position {}, time {} µs, actor {actor:?}, type {:?}",
        row.first_position,
        row.time,
        rows.activity_type(row)
    );
    // Writing to a text cannot fail.
    if let Some(value) = row.value {
        let _ = write!(text, ", value {value}");
    }
    for (name, scalar) in fields {
        let _ = write!(text, ", {name} {scalar:?}");
    }
    if let Some(ended) = ends.get(&row.position) {
        let _ = write!(text, ", ended at {ended}");
    }
    text.push('}');
    text
}

async fn chunks(
    snapshot: &mut PgConnection,
    generation: i32,
    customer: Uuid,
) -> Result<Vec<Chunk>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", true AS "is_segment!", first_position AS "first!", last_position AS "last!"
             FROM segments WHERE generation = $1 AND customer_id = $2
           UNION ALL
           SELECT id, false, first_position, last_position FROM deltas WHERE generation = $1 AND customer_id = $2
           ORDER BY 3, 1"#,
        generation,
        customer,
    )
    .fetch_all(snapshot)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Chunk { id: row.id, is_segment: row.is_segment, positions: (row.first, row.last) })
        .collect())
}

/// The rows of a chunk, and where they end: as it says itself, and as the table says.
async fn read(
    snapshot: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    chunk: &Chunk,
) -> Result<Result<(RowSet, Ends), Unreadable>, FlushError> {
    let (rows, mut ends) = if chunk.is_segment {
        let columns = read_segment(snapshot, generation, customer, chunk.id, None).await?;
        match off_async(|| RowSet::of_segment(columns)) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        }
    } else {
        let content = sqlx::query_scalar!(
            "SELECT content FROM deltas WHERE generation = $1 AND customer_id = $2 AND id = $3",
            generation,
            customer,
            chunk.id,
        )
        .fetch_one(&mut *snapshot)
        .await?;
        match off_async(|| RowSet::of_delta(&content)) {
            Ok(rows) => (rows, HashMap::new()),
            Err(error) => return Ok(Err(error)),
        }
    };
    ends.extend(ends_between(snapshot, generation, customer, chunk.positions.0, chunk.positions.1).await?);
    Ok(Ok((rows, ends)))
}

/// The names of a customer's actors, by ordinal.
async fn actors(
    snapshot: &mut PgConnection,
    generation: i32,
    customer: Uuid,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT actor FROM actors WHERE generation = $1 AND customer_id = $2 ORDER BY ordinal",
        generation,
        customer,
    )
    .fetch(snapshot)
    .try_collect()
    .await
}
