use std::collections::HashMap;

use event_store::RecordedEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Target;

const REASON_CHARS_MAX: usize = 1_000;

/// An event that is set aside.
pub(super) struct DeadLetter {
    position: i64,
    aggregate_id: String,
    event_type: String,
    reason: String,
}

impl DeadLetter {
    pub(super) fn new(recorded: &RecordedEvent, reason: &str) -> Self {
        Self {
            position: recorded.position,
            aggregate_id: recorded.aggregate_id.clone(),
            event_type: recorded.event_type.clone(),
            // PostgreSQL's text holds no NUL.
            reason: reason.chars().filter(|&character| character != '\0').take(REASON_CHARS_MAX).collect(),
        }
    }
}

/// Which of these streams wait, each with the position of the event that they wait behind.
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
        target.definition.name,
        place.generation,
        place.partition,
        streams as &[&str],
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.aggregate_id, row.position)).collect())
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    target: &Target,
    letters: &[DeadLetter],
) -> Result<(), sqlx::Error> {
    if letters.is_empty() {
        return Ok(());
    }
    let place = target.place();
    let ids: Vec<Uuid> = letters.iter().map(|_| Uuid::now_v7()).collect();
    let positions: Vec<i64> = letters.iter().map(|letter| letter.position).collect();
    let column = |of: fn(&DeadLetter) -> &str| -> Vec<&str> { letters.iter().map(of).collect() };
    sqlx::query!(
        "INSERT INTO dead_letters (id, projection, generation, partition, position, aggregate_id, event_type, reason)
         SELECT k.id, $1, $2, $3, k.position, k.aggregate_id, k.event_type, k.reason
           FROM unnest($4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[])
                AS k (id, position, aggregate_id, event_type, reason)",
        target.definition.name,
        place.generation,
        place.partition,
        &ids,
        &positions,
        &column(|letter| &letter.aggregate_id) as &[&str],
        &column(|letter| &letter.event_type) as &[&str],
        &column(|letter| &letter.reason) as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}
