use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sqlx::PgConnection;
use uuid::Uuid;

use super::cache::{Column, ColumnCache, Part};
use super::chunk::{Chunk, Kind};
use crate::columns::{
    ColumnName, Numbers, Rare, RowSet, Unreadable, read_dictionary, read_i32, read_i64, read_sparse,
    read_values,
};
use crate::error::ReportsError;

/// Columns that were just read, by the id of their chunk.
pub(super) type Loaded = HashMap<i64, Vec<(Part, Arc<Column>)>>;

/// The columns of a chunk among those that were just read.
pub(super) fn parts_of<'l>(loaded: &'l Loaded, chunk: &Chunk) -> &'l [(Part, Arc<Column>)] {
    loaded.get(&chunk.id).map_or(&[], Vec::as_slice)
}

/// The error for a chunk that has a column neither in the cache nor among those that were just read.
pub(super) fn lacks_a_column(chunk: &Chunk) -> ReportsError {
    ReportsError::Internal(format!("chunk {} lacks a column", chunk.id))
}

/// A stored part of a chunk, still encoded.
struct Stored {
    chunk: i64,
    part: Part,
    content: Bytes,
}

/// Lists the chunks of a customer in the snapshot of a transaction.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn manifest(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
) -> Result<Vec<Chunk>, sqlx::Error> {
    let segments = sqlx::query!(
        "SELECT id, rows, first_position, last_position, first_time, last_time, ended_rows, columns
           FROM segments WHERE generation = $1 AND customer_id = $2",
        generation,
        customer,
    )
    .fetch_all(&mut *connection)
    .await?;
    let deltas = sqlx::query!(
        "SELECT id, rows, first_position, last_position, first_time, last_time
           FROM deltas WHERE generation = $1 AND customer_id = $2",
        generation,
        customer,
    )
    .fetch_all(connection)
    .await?;
    let segments = segments.into_iter().map(|row| Chunk {
        id: row.id,
        rows: row.rows as usize,
        positions: (row.first_position, row.last_position),
        times: (row.first_time, row.last_time),
        kind: Kind::Segment { columns: row.columns.into(), ended_rows: row.ended_rows },
    });
    let deltas = deltas.into_iter().map(|row| Chunk {
        id: row.id,
        rows: row.rows as usize,
        positions: (row.first_position, row.last_position),
        times: (row.first_time, row.last_time),
        kind: Kind::Delta,
    });
    Ok(segments.chain(deltas).collect())
}

/// Reads parts of chunks, decodes them on blocking threads, and puts them into the cache. Returns the number of bytes read,
/// too.
///
/// # Errors
/// [`Unreadable`], or an error of the database.
pub(super) async fn load(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    missing: &[(&Chunk, Vec<Part>)],
    cache: &ColumnCache,
    threads: usize,
) -> Result<(Loaded, usize), ReportsError> {
    let stored = fetch(connection, generation, customer, missing).await?;
    let bytes = stored.iter().map(|stored| stored.content.len()).sum();
    let share = stored.len().div_ceil(threads.max(1)).max(1);
    let mut tasks = Vec::new();
    let mut stored = stored.into_iter().peekable();
    while stored.peek().is_some() {
        let some: Vec<Stored> = stored.by_ref().take(share).collect();
        let cache = cache.clone();
        tasks.push(tokio::task::spawn_blocking(move || decode(some, &cache)));
    }
    let mut loaded = Loaded::new();
    for task in tasks {
        let decoded = task.await.map_err(|error| ReportsError::Internal(error.to_string()))??;
        for (chunk, part, column) in decoded {
            loaded.entry(chunk).or_default().push((part, column));
        }
    }
    Ok((loaded, bytes))
}

async fn fetch(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    missing: &[(&Chunk, Vec<Part>)],
) -> Result<Vec<Stored>, sqlx::Error> {
    let (mut segments, mut names, mut deltas) = (Vec::new(), Vec::new(), Vec::new());
    let mut parts: HashMap<(i64, String), Part> = HashMap::new();
    for (chunk, missing) in missing {
        for part in missing {
            let name = match part {
                Part::Column(name) => name.to_string(),
                Part::Ended(_) => ColumnName::Ended.to_string(),
                Part::Rows => {
                    deltas.push(chunk.id);
                    continue;
                }
                Part::EndedElsewhere(..) | Part::Trait(..) => continue,
            };
            segments.push(chunk.id);
            names.push(name.clone());
            parts.insert((chunk.id, name), part.clone());
        }
    }
    let mut stored = Vec::with_capacity(segments.len() + deltas.len());
    if !segments.is_empty() {
        let rows = sqlx::query!(
            r#"SELECT k.segment AS "segment!", k.name AS "name!", c.content AS "content!"
                 FROM unnest($3::bigint[], $4::text[]) AS k (segment, name)
                CROSS JOIN LATERAL (SELECT content FROM segment_columns
                                     WHERE generation = $1 AND customer_id = $2 AND segment = k.segment
                                       AND name = k.name LIMIT 1) AS c"#,
            generation,
            customer,
            &segments,
            &names,
        )
        .fetch_all(&mut *connection)
        .await?;
        stored.extend(rows.into_iter().filter_map(|row| {
            let part = parts.remove(&(row.segment, row.name))?;
            Some(Stored { chunk: row.segment, part, content: row.content.into() })
        }));
    }
    if !deltas.is_empty() {
        let rows = sqlx::query!(
            "SELECT id, content FROM deltas WHERE generation = $1 AND customer_id = $2 AND id = ANY ($3)",
            generation,
            customer,
            &deltas,
        )
        .fetch_all(connection)
        .await?;
        stored.extend(rows.into_iter().map(|row| Stored {
            chunk: row.id,
            part: Part::Rows,
            content: row.content.into(),
        }));
    }
    Ok(stored)
}

fn decode(stored: Vec<Stored>, cache: &ColumnCache) -> Result<Vec<(i64, Part, Arc<Column>)>, Unreadable> {
    let mut decoded = Vec::with_capacity(stored.len());
    for Stored { chunk, part, content } in stored {
        let column = match &part {
            Part::Column(name) => column(name, content)?,
            Part::Ended(_) => Column::Sparse(read_sparse(&content)?),
            Part::Rows => {
                let mut rows = RowSet::of_delta(&content)?;
                rows.sort_by_time();
                Column::Rows(rows)
            }
            Part::EndedElsewhere(..) | Part::Trait(..) => continue,
        };
        let column = cache.insert(chunk, part.clone(), column);
        decoded.push((chunk, part, column));
    }
    Ok(decoded)
}

fn column(name: &ColumnName, content: Bytes) -> Result<Column, Unreadable> {
    Ok(match name {
        ColumnName::Time | ColumnName::Position => Column::Numbers(Numbers::of(read_i64(content)?)),
        ColumnName::Actor => {
            Column::Actors(read_i32(content)?.into_iter().map(|actor| actor as u32).collect())
        }
        ColumnName::Value => Column::Values(read_values(content)?),
        ColumnName::Field(_) => Column::Dictionary(Arc::new(read_dictionary(content)?)),
        ColumnName::Rare => Column::Rare(Rare::read(&content)?),
        ColumnName::FirstPosition | ColumnName::Ended => Column::Sparse(read_sparse(&content)?),
    })
}
