use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{CustomerId, Json, Partition};
use event_store::{EventLog, EventRef, RecordedEvent};
use sqlx::PgConnection;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::Target;
use crate::error::FlushError;
use crate::store::NAME;

const REASON_CHARS_MAX: usize = 1_000;

/// An event to insert into the table of dead letters, because it or an earlier one of its stream cannot be folded.
pub(super) struct NewDeadLetter<'a> {
    pub(super) event: EventRef<'a>,
    pub(super) reason: String,
    /// The position of the dead letter that it waits behind; none if the event itself cannot be folded.
    waits_behind: Option<i64>,
}

impl<'a> NewDeadLetter<'a> {
    /// For an event that cannot be folded.
    pub(super) fn failed(event: EventRef<'a>, reason: &str) -> Self {
        // PostgreSQL's type text has no NUL.
        let reason = reason.chars().filter(|&character| character != '\0').take(REASON_CHARS_MAX).collect();
        Self { event, reason, waits_behind: None }
    }

    /// For an event behind a dead letter of its stream.
    pub(super) fn waiting(event: EventRef<'a>, behind: i64) -> Self {
        Self { event, reason: behind_reason(behind), waits_behind: Some(behind) }
    }
}

fn behind_reason(position: i64) -> String {
    format!("waits behind position {position} of the same stream")
}

/// Of these streams, those that have a dead letter, each with its position.
pub(super) async fn waiting(
    connection: &mut PgConnection,
    target: &Target,
    streams: &[&str],
) -> Result<HashMap<String, i64>, sqlx::Error> {
    if !target.has_dead_letters {
        return Ok(HashMap::new());
    }
    let place = target.place();
    let rows = sqlx::query!(
        r#"SELECT aggregate_id, min(position) AS "position!" FROM dead_letters
            WHERE projection = $1 AND generation = $2 AND partition = $3 AND aggregate_id = ANY ($4)
            GROUP BY aggregate_id"#,
        NAME,
        place.generation,
        place.partition,
        streams as &[&str],
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.aggregate_id, row.position)).collect())
}

/// Inserts dead letters, each with the whole event as the log has it.
pub(super) async fn insert(
    connection: &mut PgConnection,
    log: &EventLog,
    target: &Target,
    dead_letters: &[NewDeadLetter<'_>],
) -> Result<(), FlushError> {
    if dead_letters.is_empty() {
        return Ok(());
    }
    let place = target.place();
    let positions: Vec<i64> = dead_letters.iter().map(|dead_letter| dead_letter.event.position).collect();
    let events = log.read_at(Partition(place.partition as u16), &positions).await?;
    if !events.iter().map(|event| event.position).eq(positions.iter().copied()) {
        return Err(FlushError::Inconsistent("an event that is to be set aside is not in the log"));
    }
    let text = |of: fn(&RecordedEvent) -> &str| -> Vec<&str> { events.iter().map(of).collect() };
    let number = |of: fn(&RecordedEvent) -> i64| -> Vec<i64> { events.iter().map(of).collect() };
    let id = |of: fn(&RecordedEvent) -> Uuid| -> Vec<Uuid> { events.iter().map(of).collect() };
    let recorded_at: Vec<DateTime<Utc>> = events.iter().map(|event| event.recorded_at).collect();
    let reasons: Vec<&str> = dead_letters.iter().map(|dead_letter| dead_letter.reason.as_str()).collect();
    let behind: Vec<Option<i64>> = dead_letters.iter().map(|dead_letter| dead_letter.waits_behind).collect();
    sqlx::query!(
        "INSERT INTO dead_letters (projection, generation, partition, position, waits_behind, customer_id, aggregate_type,
                                   aggregate_id, sequence, event_type, event_version, recorded_at, event_id, payload,
                                   metadata, reason, attempts)
         SELECT $1, $2, $3, k.position, k.waits_behind, k.customer_id, k.aggregate_type, k.aggregate_id, k.sequence,
                k.event_type, k.event_version, k.recorded_at, k.event_id, k.payload::json, k.metadata::json, k.reason,
                CASE WHEN k.waits_behind IS NULL THEN 1 ELSE 0 END
           FROM unnest($4::bigint[], $5::bigint[], $6::uuid[], $7::text[], $8::text[], $9::bigint[], $10::text[],
                       $11::text[], $12::timestamptz[], $13::uuid[], $14::text[], $15::text[], $16::text[])
                AS k (position, waits_behind, customer_id, aggregate_type, aggregate_id, sequence, event_type,
                      event_version, recorded_at, event_id, payload, metadata, reason)",
        NAME,
        place.generation,
        place.partition,
        &number(|event| event.position),
        &behind as &[Option<i64>],
        &id(|event| event.customer_id.0),
        &text(|event| &event.aggregate_type) as &[&str],
        &text(|event| &event.aggregate_id) as &[&str],
        &number(|event| event.sequence),
        &text(|event| &event.event_type) as &[&str],
        &text(|event| &event.event_version) as &[&str],
        &recorded_at,
        &id(|event| event.event_id),
        &text(|event| event.payload.as_str()) as &[&str],
        &text(|event| event.metadata.as_str()) as &[&str],
        &reasons as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The first events of a stream in the table of dead letters, in order, as the log has them.
pub(super) async fn of_stream(
    connection: &mut PgConnection,
    target: &Target,
    stream: &str,
    limit: i64,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let place = target.place();
    let rows = sqlx::query!(
        r#"SELECT position, customer_id, aggregate_type, sequence, event_type, event_version, recorded_at, event_id,
                  payload AS "payload: SqlJson<Json>", metadata AS "metadata: SqlJson<Json>"
             FROM dead_letters
            WHERE projection = $1 AND generation = $2 AND partition = $3 AND aggregate_id = $4
            ORDER BY position LIMIT $5"#,
        NAME,
        place.generation,
        place.partition,
        stream,
        limit,
    )
    .fetch_all(connection)
    .await?;
    let event = rows.into_iter().map(|row| RecordedEvent {
        partition: Partition(place.partition as u16),
        position: row.position,
        aggregate_type: row.aggregate_type,
        aggregate_id: stream.to_owned(),
        sequence: row.sequence,
        event_type: row.event_type,
        event_version: row.event_version,
        recorded_at: row.recorded_at,
        event_id: row.event_id,
        customer_id: CustomerId(row.customer_id),
        payload: row.payload.0,
        metadata: row.metadata.0,
    });
    Ok(event.collect())
}

/// Deletes the rows of events that are folded.
pub(super) async fn remove(
    connection: &mut PgConnection,
    target: &Target,
    positions: &[i64],
) -> Result<(), sqlx::Error> {
    let place = target.place();
    sqlx::query!(
        "DELETE FROM dead_letters
          WHERE projection = $1 AND generation = $2 AND partition = $3 AND position = ANY ($4)",
        NAME,
        place.generation,
        place.partition,
        positions,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the row of one event. Returns its stream and whether events wait behind it; none if it has no row.
pub(super) async fn take(
    connection: &mut PgConnection,
    target: &Target,
    position: i64,
) -> Result<Option<(String, bool)>, sqlx::Error> {
    let place = target.place();
    let row = sqlx::query!(
        r#"DELETE FROM dead_letters
            WHERE projection = $1 AND generation = $2 AND partition = $3 AND position = $4
           RETURNING aggregate_id, waits_behind IS NULL AS "is_first!""#,
        NAME,
        place.generation,
        place.partition,
        position,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.aggregate_id, row.is_first)))
}

/// Records a failed attempt; the other events of the stream wait behind this one.
pub(super) async fn failed_again(
    connection: &mut PgConnection,
    target: &Target,
    dead_letter: &NewDeadLetter<'_>,
) -> Result<(), sqlx::Error> {
    let (place, position) = (target.place(), dead_letter.event.position);
    sqlx::query!(
        "UPDATE dead_letters
            SET waits_behind = CASE WHEN position = $5 THEN NULL ELSE $5 END,
                reason = CASE WHEN position = $5 THEN $6 ELSE $7 END,
                attempts = attempts + (position = $5)::int,
                attempted_at = CASE WHEN position = $5 THEN clock_timestamp() ELSE attempted_at END
          WHERE projection = $1 AND generation = $2 AND partition = $3 AND aggregate_id = $4",
        NAME,
        place.generation,
        place.partition,
        dead_letter.event.aggregate_id,
        position,
        dead_letter.reason,
        behind_reason(position),
    )
    .execute(connection)
    .await?;
    Ok(())
}
