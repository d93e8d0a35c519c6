use chrono::{DateTime, Utc};
use domain::Partition;

use super::bisect::Bisect;
use super::window::{WINDOW_EVENTS, Window};
use crate::log::Row;
use crate::{EventLog, LogError, RecordedEvent};

/// A page of one stream.
#[derive(Clone, Debug)]
pub struct StreamQuery<'a> {
    /// The partition of its customer.
    pub partition: Partition,
    /// `activity`, `dead_letter`, `token` or `customer`.
    pub aggregate_type: &'a str,
    /// The stream.
    pub aggregate_id: &'a str,
    /// After this sequence.
    pub after: i64,
    /// Up to this sequence, inclusive.
    pub to: i64,
    /// At most so many events; at least 1.
    pub limit: usize,
    /// At most so many bytes of payload and metadata, but for an event that is larger alone.
    pub bytes_max: usize,
}

/// Some events of a stream.
#[derive(Debug)]
pub struct StreamPage {
    /// In order.
    pub events: Vec<RecordedEvent>,
    /// After which sequence the next page begins; none at the end.
    pub next: Option<i64>,
}

impl EventLog {
    /// A page of one stream.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn stream_page(&self, query: &StreamQuery<'_>) -> Result<StreamPage, LogError> {
        let mut page = StreamPage { events: Vec::new(), next: None };
        let (mut after, mut bytes) = (query.after, 0);
        loop {
            let window_events = (query.limit + 1 - page.events.len()).min(WINDOW_EVENTS);
            let window = sqlx::query_as!(
                Row,
                r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                          event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                     FROM events
                    WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3
                      AND sequence > $4 AND sequence <= $5
                    ORDER BY sequence LIMIT $6"#,
                i32::from(query.partition.0),
                query.aggregate_type,
                query.aggregate_id,
                after,
                query.to,
                window_events as i64,
            )
            .fetch(self.pool());
            let window = Window::read(window, window_events).await?;
            for event in window.events {
                bytes += event.size();
                let is_full = page.events.len() >= query.limit || bytes > query.bytes_max;
                if is_full && !page.events.is_empty() {
                    page.next = Some(after);
                    return Ok(page);
                }
                after = event.sequence;
                page.events.push(event);
            }
            if window.is_last {
                return Ok(page);
            }
        }
    }

    /// The last event of a stream, or the last one up to a sequence, if there is one.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read_last(
        &self,
        partition: Partition,
        aggregate_type: &str,
        aggregate_id: &str,
        to: i64,
    ) -> Result<Option<RecordedEvent>, LogError> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                      event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                 FROM events
                WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND sequence <= $4
                ORDER BY sequence DESC LIMIT 1"#,
            i32::from(partition.0),
            aggregate_type,
            aggregate_id,
            to,
        );
        Ok(row.fetch_optional(self.pool()).await?.map(RecordedEvent::from))
    }

    /// The sequence of a stream's last event that was recorded at a time or before it; 0 if there is none.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn sequence_at(
        &self,
        partition: Partition,
        aggregate_type: &str,
        aggregate_id: &str,
        time: DateTime<Utc>,
    ) -> Result<i64, LogError> {
        let number = i32::from(partition.0);
        let last = sqlx::query_scalar!(
            "SELECT sequence FROM events WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3
              ORDER BY sequence DESC LIMIT 1",
            number,
            aggregate_type,
            aggregate_id,
        )
        .fetch_optional(self.pool())
        .await?
        .unwrap_or(0);
        // A stream lies in one partition, whose times never go back.
        let mut later = Bisect::up_to(last);
        while let Some(sequence) = later.middle() {
            let recorded_at = sqlx::query_scalar!(
                "SELECT recorded_at FROM events
                  WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND sequence = $4",
                number,
                aggregate_type,
                aggregate_id,
                sequence,
            )
            .fetch_optional(self.pool())
            .await?;
            later.narrow(recorded_at.is_none_or(|recorded_at| recorded_at > time));
        }
        Ok(later.first() - 1)
    }
}
