use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Append, Appended};

/// The columns of a batch, as `append_events` takes them.
#[derive(Default)]
struct Columns<'a> {
    partition: Vec<i32>,
    rank: Vec<i64>,
    unit: Vec<i32>,
    sequence: Vec<i64>,
    event_id: Vec<Uuid>,
    customer_id: Vec<Uuid>,
    aggregate_type: Vec<&'a str>,
    aggregate_id: Vec<&'a str>,
    event_type: Vec<&'a str>,
    event_version: Vec<&'a str>,
    payload: Vec<&'a str>,
    metadata: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, unit: usize, append: &'a Append, count: &mut i64) {
        for (event, sequence) in append.events.iter().zip(append.sequence..) {
            *count += 1;
            self.partition.push(i32::from(append.partition.0));
            self.rank.push(*count);
            self.unit.push(unit as i32);
            self.sequence.push(sequence);
            self.event_id.push(event.event_id);
            self.customer_id.push(append.customer_id.0);
            self.aggregate_type.push(append.aggregate_type);
            self.aggregate_id.push(&append.aggregate_id);
            self.event_type.push(&event.event_type);
            self.event_version.push(&event.event_version);
            self.payload.push(&event.payload);
            self.metadata.push(&event.metadata);
        }
    }
}

/// A checked statement whose parameters are the heads to move, by how many events, and the columns of a batch.
macro_rules! append_query {
    ($statement:literal, $partitions:expr, $events:expr, $columns:expr $(, $unit:ident)?) => {
        sqlx::query!(
            $statement,
            $partitions,
            $events,
            &$columns.partition,
            &$columns.rank,
            $(&$columns.$unit,)?
            &$columns.sequence,
            &$columns.event_id,
            &$columns.customer_id,
            &$columns.aggregate_type as &[&str],
            &$columns.aggregate_id as &[&str],
            &$columns.event_type as &[&str],
            &$columns.event_version as &[&str],
            &$columns.payload as &[&str],
            &$columns.metadata as &[&str],
        )
    };
}

/// Of two appends of a batch that claim the same sequence of the same stream, the first wins; the database must not see
/// the second, for it could not say which of the two to refuse.
fn claims<'a>(batch: &[&'a Append]) -> Vec<bool> {
    let mut claimed: HashSet<(&'a str, &'a str, i64)> = HashSet::with_capacity(batch.len());
    let mut claim = |append: &'a Append| {
        let sequences = append.sequence..append.sequence + append.events.len() as i64;
        let free = sequences
            .clone()
            .all(|sequence| !claimed.contains(&(append.aggregate_type, &append.aggregate_id, sequence)));
        if free {
            claimed.extend(
                sequences.map(|sequence| (append.aggregate_type, append.aggregate_id.as_str(), sequence)),
            );
        }
        free
    };
    batch.iter().map(|append| claim(append)).collect()
}

/// Appends a batch in one transaction: as if every stream in it were new, for nearly every one is; if that is refused, by
/// the SQL function `append_events`. Returns one outcome for each append, in order. In a transaction of the caller's a
/// conflict breaks that transaction, as any error does.
///
/// # Errors
/// An error if the database fails. Nothing is stored then, unless the connection broke off, in which case it is not known.
pub async fn append_events(
    connection: &mut PgConnection,
    batch: &[&Append],
) -> Result<Vec<Appended>, sqlx::Error> {
    let wins = claims(batch);
    let mut counts: BTreeMap<i32, i64> = BTreeMap::new();
    let mut columns = Columns::default();
    for (unit, append) in batch.iter().enumerate().filter(|(unit, _)| wins[*unit]) {
        columns.push(unit, append, counts.entry(i32::from(append.partition.0)).or_default());
    }
    let partitions: Vec<i32> = counts.keys().copied().collect();
    let events: Vec<i64> = counts.values().copied().collect();
    let (mut heads, conflicts) = match append_new(connection, &partitions, &events, &columns).await {
        Err(error) if is_unique_violation(&error) => {
            append_what_is_new(connection, &partitions, &events, &columns).await?
        }
        heads => (heads?, HashSet::new()),
    };
    let outcome = |(unit, append): (usize, &&Append)| {
        let Some((head, recorded_at)) = heads.get_mut(&i32::from(append.partition.0)) else {
            return Appended::Conflict;
        };
        if !wins[unit] || conflicts.contains(&unit) {
            return Appended::Conflict;
        }
        let position = *head + 1;
        *head += append.events.len() as i64;
        Appended::Stored { position, recorded_at: *recorded_at }
    };
    Ok(batch.iter().enumerate().map(outcome).collect())
}

/// Of each partition, the last position before the batch and the time of the batch.
type Heads = BTreeMap<i32, (i64, DateTime<Utc>)>;

async fn append_new(
    connection: &mut PgConnection,
    partitions: &[i32],
    events: &[i64],
    columns: &Columns<'_>,
) -> Result<Heads, sqlx::Error> {
    // A statement and no function, whose call would cost 20 to 40 µs more. It unnests in target lists: in FROM each array
    // would be written to a tuplestore first. A statement that waits for a head sees it as its last holder left it, and reads the
    // clock after that. An event whose partition is not in this log finds no head, and so no position.
    // `fetch_all` returns after the server is ready for the next statement, which is after the commit.
    let rows = append_query!(
        r#"WITH moved AS MATERIALIZED (
             UPDATE log_head h
                SET position = h.position + n.events, recorded_at = greatest(clock_timestamp(), h.recorded_at)
               FROM (SELECT unnest($1::int[]) AS partition, unnest($2::bigint[]) AS events) n
              WHERE h.partition = n.partition
             RETURNING h.partition, h.position - n.events AS head, h.recorded_at
           ), stored AS (
             INSERT INTO events (partition, position, sequence, recorded_at, event_id, customer_id,
                                 aggregate_type, aggregate_id, event_type, event_version, payload, metadata)
             SELECT e.partition, m.head + e.rank, e.sequence, m.recorded_at, e.event_id, e.customer_id, e.aggregate_type,
                    e.aggregate_id, e.event_type, e.event_version, e.payload::json, e.metadata::json
               FROM (SELECT unnest($3::int[]) AS partition, unnest($4::bigint[]) AS rank, unnest($5::bigint[]) AS sequence,
                            unnest($6::uuid[]) AS event_id, unnest($7::uuid[]) AS customer_id,
                            unnest($8::text[]) AS aggregate_type, unnest($9::text[]) AS aggregate_id,
                            unnest($10::text[]) AS event_type, unnest($11::text[]) AS event_version,
                            unnest($12::text[]) AS payload, unnest($13::text[]) AS metadata) e
               LEFT JOIN moved m USING (partition)
           )
           SELECT partition AS "partition!", head AS "head!", recorded_at AS "recorded_at!" FROM moved"#,
        partitions,
        events,
        columns
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.partition, (row.head, row.recorded_at))).collect())
}

/// Returns the head of each partition, and the indexes of the appends that were rejected because their stream already has
/// an event with one of their sequences.
async fn append_what_is_new(
    connection: &mut PgConnection,
    partitions: &[i32],
    events: &[i64],
    columns: &Columns<'_>,
) -> Result<(Heads, HashSet<usize>), sqlx::Error> {
    let rows = append_query!(
        r#"SELECT partition AS "partition!", head AS "head!", recorded_at AS "recorded_at!", refuted AS "refuted!"
             FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"#,
        partitions,
        events,
        columns,
        unit
    )
    .fetch_all(connection)
    .await?;
    let conflicts = rows.iter().flat_map(|row| &row.refuted).map(|unit| *unit as usize).collect();
    Ok((rows.into_iter().map(|row| (row.partition, (row.head, row.recorded_at))).collect(), conflicts))
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
