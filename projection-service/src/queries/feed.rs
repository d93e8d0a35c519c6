use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::Json;
use serde::Serialize;
use sqlx::types::Json as SqlJson;
use utoipa::ToSchema;

use super::Snapshot;
use crate::answers::AsOf;
use crate::error::ReportsError;

/// What is asked.
#[derive(Hash)]
pub(crate) struct Question {
    pub(crate) activity_type: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) before: Option<Cursor>,
    pub(crate) limit: i64,
}

/// The last activity of a page. The next page begins with the one before it: every activity has a place of its own in
/// this order, so nothing is left out and nothing is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    occurred_at: DateTime<Utc>,
    position: i64,
}

impl Cursor {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (time, position) = bytes.split_at(8);
        let number = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
        Some(Self {
            occurred_at: DateTime::from_timestamp_micros(number(time)?)?,
            position: number(position)?,
        })
    }

    fn text(self) -> String {
        let [time, position] = [self.occurred_at.timestamp_micros(), self.position].map(i64::to_be_bytes);
        URL_SAFE_NO_PAD.encode([time, position].concat())
    }
}

/// A page of activities.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityPage {
    /// The newest first, by the time at which they happened.
    items: Vec<Activity>,
    /// For the next page; none if this is the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How far history is in it.
    as_of: AsOf,
    /// How long the first event that is not in it has been waiting, in milliseconds.
    lag_ms: i64,
}

/// An activity as it now stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// The client's id of it, or the one that was made for it.
    id: String,
    /// What was done.
    #[serde(rename = "type")]
    #[schema(example = "page.viewed")]
    kind: String,
    /// Who did it.
    actor: String,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// An amount, a duration, a score.
    #[schema(required)]
    value: Option<f64>,
    /// What else is known about it.
    #[schema(required, value_type = Option<Object>)]
    properties: Option<Json>,
    /// Where it came from.
    #[schema(required, value_type = Option<Object>)]
    context: Option<Json>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// Where the event that recorded it lies in the log.
    partition: u16,
    /// As `partition`.
    position: i64,
    /// How many events it has: what `If-Match` guards.
    sequence: i64,
}

impl Snapshot {
    /// A page.
    pub(crate) async fn feed(mut self, question: &Question) -> Result<ActivityPage, ReportsError> {
        let rows = sqlx::query!(
            r#"SELECT activity_id, type, actor, occurred_at, value, properties AS "properties: SqlJson<Json>",
                      context AS "context: SqlJson<Json>", recorded_at, position, sequence
                 FROM feed
                WHERE generation = $1 AND partition = $2 AND customer_id = $3
                  AND ($4::text IS NULL OR type = $4)
                  AND ($5::text IS NULL OR actor = $5)
                  AND ($6::timestamptz IS NULL OR occurred_at >= $6)
                  AND ($7::timestamptz IS NULL OR occurred_at < $7)
                  AND ($8::timestamptz IS NULL OR (occurred_at, position) < ($8, $9))
                ORDER BY occurred_at DESC, position DESC LIMIT $10"#,
            self.place.generation,
            self.place.partition,
            self.customer.0,
            question.activity_type.as_deref(),
            question.actor.as_deref(),
            question.from,
            question.to,
            question.before.map(|cursor| cursor.occurred_at),
            question.before.map_or(0, |cursor| cursor.position),
            // One more than asked for tells whether there is a next page.
            question.limit + 1,
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        let more = rows.len() as i64 > question.limit;
        let items: Vec<Activity> = rows
            .into_iter()
            .take(question.limit as usize)
            .map(|row| Activity {
                id: row.activity_id,
                kind: row.r#type,
                actor: row.actor,
                occurred_at: row.occurred_at,
                value: row.value,
                properties: row.properties.map(|json| json.0),
                context: row.context.map(|json| json.0),
                recorded_at: row.recorded_at,
                partition: self.place.partition as u16,
                position: row.position,
                sequence: row.sequence,
            })
            .collect();
        let last = items.last().filter(|_| more);
        let next_cursor =
            last.map(|last| Cursor { occurred_at: last.occurred_at, position: last.position }.text());
        Ok(ActivityPage { items, next_cursor, as_of: self.as_of, lag_ms: self.lag_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { occurred_at: "2026-03-29T01:30:00.123456Z".parse().unwrap(), position: 4_711 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "x", "AAAA", "!!", &format!("{}A", cursor.text())] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
