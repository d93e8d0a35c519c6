//! Merging: runs of segments whose times overlap become one run in which they do not, so that a query over a day reads
//! the segments of that day. Off the way of the fold, in transactions of its own.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use chassis::Outage;
use event_store::advisory_locks;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::chunks::{insert_segment, take_ids};
use super::{GenerationPartition, NAME, Sizes, VERSION, ends};
use crate::columns::{ColumnName, Ends, RowSet, read_i64, read_sparse};
use crate::error::FlushError;
use crate::fold::prepare;
use crate::transaction::begin;

/// Runs of this level are not merged any more: one of them has 4 million rows.
const LEVEL_MAX: i16 = 2;
/// The interval at which customers with something to merge are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// Customers that are looked at before it is asked again who else there is.
const CUSTOMERS_MAX: i64 = 16;

/// Merges in the background for as long as the service runs.
pub(crate) struct Merger {
    pub(crate) pool: PgPool,
    pub(crate) sizes: Sizes,
}

impl Merger {
    /// Goes on until `shutdown`; a merge that is under way is then given up, and nothing of it is kept.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let _ = shutdown.run_until_cancelled(self.merge_all()).await;
    }

    async fn merge_all(&self) {
        let mut outage = Outage::default();
        loop {
            match self.round().await {
                Ok(true) => outage.ends(),
                Ok(false) => {
                    outage.ends();
                    tokio::time::sleep(INTERVAL).await;
                }
                Err(error) => {
                    if outage.begins() {
                        tracing::warn!(%error, "segments cannot be merged; queries over short ranges are slower until they are");
                    }
                    tokio::time::sleep(INTERVAL).await;
                }
            }
        }
    }

    /// Merges what there is of a few customers. Returns whether there was anything.
    async fn round(&self) -> Result<bool, FlushError> {
        let waiting = sqlx::query!(
            "SELECT s.generation, s.customer_id, s.partition FROM projections p
               JOIN stores s ON s.generation = p.live_generation
              WHERE p.name = $1 AND p.version = $2 AND (s.new_segments >= 8 OR s.ends >= 4096)
              ORDER BY s.new_segments DESC LIMIT $3",
            NAME,
            VERSION,
            CUSTOMERS_MAX,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut any = false;
        for row in waiting {
            let place = GenerationPartition { generation: row.generation, partition: row.partition };
            any |= merge_customer(&self.pool, place, row.customer_id, self.sizes).await?;
        }
        Ok(any)
    }
}

/// Merges one level of a customer's segments, if it has enough runs, and writes ends into segments, if there are enough.
/// Returns whether anything was done.
///
/// # Errors
/// An error if the database fails, or if a segment cannot be read.
pub(crate) async fn merge_customer(
    pool: &PgPool,
    place: GenerationPartition,
    customer: Uuid,
    sizes: Sizes,
) -> Result<bool, FlushError> {
    let mut transaction = begin(pool).await?;
    prepare(&mut transaction).await?;
    let ours = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1, hashtext($2::uuid::text)) AS "ours!""#,
        advisory_locks::MERGE,
        customer
    )
    .fetch_one(&mut *transaction)
    .await?;
    if !ours {
        return Ok(false);
    }
    let mut done = false;
    let written_ends = write_ends(&mut transaction, place, customer, sizes).await?;
    let mut merged_ends = 0;
    if let Some((level, runs)) = runs(&mut transaction, place, customer, sizes).await? {
        merged_ends = merge(&mut transaction, place, customer, (level, runs), sizes).await?;
        done = true;
    }
    done |= written_ends > 0;
    if done {
        sqlx::query!(
            "UPDATE stores SET ends = ends - $3,
                    new_segments = (SELECT count(*) FROM segments
                                     WHERE generation = $1 AND customer_id = $2 AND level = 0)
              WHERE generation = $1 AND customer_id = $2",
            place.generation,
            customer,
            written_ends + merged_ends,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        metrics::counter!("daybook_segment_merges_total").increment(1);
    }
    Ok(done)
}

/// The segments of one run, in the order of time.
type Run = VecDeque<i64>;

/// The lowest level that has enough runs, and its oldest ones.
async fn runs(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    sizes: Sizes,
) -> Result<Option<(i16, Vec<Run>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT level, array_agg(id ORDER BY first_time, id) AS "segments!" FROM segments
            WHERE generation = $1 AND customer_id = $2 AND level < $3
            GROUP BY level, run ORDER BY level, min(first_position)"#,
        place.generation,
        customer,
        LEVEL_MAX,
    )
    .fetch_all(connection)
    .await?;
    let levels = rows.chunk_by(|one, other| one.level == other.level);
    let mut enough = levels.filter(|runs| runs.len() >= sizes.runs);
    Ok(enough.next().map(|runs| {
        let segments = |run: &_| -> Run { Run::from(Vec::clone(run)) };
        (runs[0].level, runs.iter().take(sizes.runs).map(|run| segments(&run.segments)).collect())
    }))
}

/// One run while it is merged: no more than one of its segments is in memory.
struct Source {
    left: Run,
    rows: RowSet,
    next: usize,
    /// The numbers that the texts of `rows` have in the segment that is being made.
    numbers: Vec<u32>,
}

impl Source {
    fn key(&self) -> Option<(i64, i64, i64)> {
        self.rows.rows().get(self.next).map(|row| (row.time, row.first_position, row.position))
    }
}

/// Merges runs of one level into one run of the next. Returns how many ends of the table were written into it.
async fn merge(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    (level, runs): (i16, Vec<Run>),
    sizes: Sizes,
) -> Result<i32, FlushError> {
    let replaced: Vec<i64> = runs.iter().flatten().copied().collect();
    let mut known = Ends::new();
    let mut sources = Vec::with_capacity(runs.len());
    for left in runs {
        let mut source = Source { left, rows: RowSet::default(), next: 0, numbers: Vec::new() };
        fill(connection, place, customer, &mut source, &mut known).await?;
        sources.push(source);
    }
    let (mut run, mut written) = (None, 0);
    let mut made = RowSet::default();
    loop {
        let least = (0..sources.len())
            .filter(|index| sources[*index].key().is_some())
            .min_by_key(|index| sources[*index].key());
        if let Some(index) = least {
            let source = &mut sources[index];
            made.append_row(&source.rows, &source.rows.rows()[source.next], &mut source.numbers);
            source.next += 1;
            if source.next == source.rows.len() {
                fill(connection, place, customer, source, &mut known).await?;
            }
        }
        if made.len() == sizes.segment_rows || (least.is_none() && !made.is_empty()) {
            let taken = ends::take(connection, place.generation, customer, &made).await?;
            written += taken.len() as i32;
            known.extend(taken);
            let id = take_ids(connection, 1).await?[0];
            let run = *run.get_or_insert(id);
            insert_segment(connection, place, customer, (id, level + 1, run), &made, &known).await?;
            made.rows().iter().for_each(|row| {
                known.remove(&row.position);
            });
            made = RowSet::default();
            for source in &mut sources {
                source.numbers.clear();
            }
            tokio::task::yield_now().await;
        }
        if least.is_none() {
            break;
        }
    }
    remove(connection, place, customer, &replaced).await?;
    Ok(written)
}

/// Reads the next segment of a run, if it has one.
async fn fill(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    source: &mut Source,
    known: &mut Ends,
) -> Result<(), FlushError> {
    source.rows = RowSet::default();
    source.next = 0;
    source.numbers.clear();
    let Some(segment) = source.left.pop_front() else { return Ok(()) };
    let columns = read(connection, place.generation, customer, segment, None).await?;
    let (rows, ends) = RowSet::of_segment(columns)?;
    source.rows = rows;
    known.extend(ends);
    Ok(())
}

/// The content of the columns of a segment: of all, or of these.
pub(crate) async fn read(
    connection: &mut PgConnection,
    generation: i32,
    customer: Uuid,
    segment: i64,
    names: Option<&[String]>,
) -> Result<Vec<(String, Bytes)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT name, content FROM segment_columns
          WHERE generation = $1 AND customer_id = $2 AND segment = $3 AND ($4::text[] IS NULL OR name = ANY ($4))",
        generation,
        customer,
        segment,
        names,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.content.into())).collect())
}

async fn remove(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    segments: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM segment_columns WHERE generation = $1 AND customer_id = $2 AND segment = ANY ($3)",
        place.generation,
        customer,
        segments,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "DELETE FROM segments WHERE generation = $1 AND customer_id = $2 AND id = ANY ($3)",
        place.generation,
        customer,
        segments,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes the ends of rows that are in segments into these, if there are many of them. Returns how many.
async fn write_ends(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    sizes: Sizes,
) -> Result<i32, FlushError> {
    let all = ends::between(connection, place.generation, customer, i64::MIN, i64::MAX).await?;
    if (all.len() as i64) < sizes.ends {
        return Ok(0);
    }
    let segments = sqlx::query!(
        "SELECT id, first_position, last_position FROM segments WHERE generation = $1 AND customer_id = $2",
        place.generation,
        customer,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut written = Vec::new();
    for segment in segments {
        let range = segment.first_position..=segment.last_position;
        let within: Ends = all.iter().copied().filter(|(position, _)| range.contains(position)).collect();
        if !within.is_empty() {
            written.extend(write_into(connection, place, customer, segment.id, &within).await?);
        }
    }
    ends::remove(connection, place.generation, customer, &written).await?;
    Ok(written.len() as i32)
}

/// Writes ends into the column `ended` of a segment. Returns the positions of those rows that it has.
async fn write_into(
    connection: &mut PgConnection,
    place: GenerationPartition,
    customer: Uuid,
    segment: i64,
    ends: &Ends,
) -> Result<Vec<i64>, FlushError> {
    let (position, ended) = (ColumnName::Position.to_string(), ColumnName::Ended.to_string());
    let names = [position.clone(), ended.clone()];
    let mut positions = Vec::new();
    let mut rows = Vec::new();
    for (name, content) in read(connection, place.generation, customer, segment, Some(&names)).await? {
        if name == position { positions = read_i64(content)? } else { rows = read_sparse(&content)? }
    }
    let found: Vec<(u32, i64)> =
        positions.iter().zip(0..).filter_map(|(position, row)| Some((row, *ends.get(position)?))).collect();
    let written = found.iter().map(|(row, _)| positions[*row as usize]).collect();
    if found.is_empty() {
        return Ok(written);
    }
    rows.extend(found);
    rows.sort_unstable();
    sqlx::query!(
        "INSERT INTO segment_columns (generation, customer_id, segment, name, content) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (generation, customer_id, segment, name) DO UPDATE SET content = excluded.content",
        place.generation,
        customer,
        segment,
        ended,
        crate::columns::write_sparse(&rows),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE segments SET ended_rows = $4,
                columns = CASE WHEN $5 = ANY (columns) THEN columns ELSE array_append(columns, $5) END
          WHERE generation = $1 AND customer_id = $2 AND id = $3",
        place.generation,
        customer,
        segment,
        rows.len() as i32,
        ended,
    )
    .execute(connection)
    .await?;
    Ok(written)
}
