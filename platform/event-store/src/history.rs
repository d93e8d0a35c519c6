use chrono::{DateTime, Utc};
use domain::{CustomerId, Partition};

use crate::log::Row;
use crate::{EventLog, LogError, RecordedEvent};

mod bisect;
mod filter;
mod replay;
mod stream;
mod window;

use bisect::Bisect;
pub use stream::{StreamPage, StreamQuery};
use window::{WINDOW_EVENTS, Window};

/// Which events of a partition are asked for; an absent condition holds for all.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// Of one customer.
    pub customer_id: Option<CustomerId>,
    /// Up to this position, inclusive.
    pub to: Option<i64>,
    /// Recorded at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Recorded before this time.
    pub until: Option<DateTime<Utc>>,
    /// Of this actor.
    pub actor: Option<String>,
    /// Of an activity of this type, before or after a correction.
    pub activity_type: Option<String>,
}

/// A page of a partition's history.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// The partition.
    pub partition: Partition,
    /// After this position.
    pub after: i64,
    /// At most so many events; at least 1.
    pub limit: usize,
    /// At most so many bytes of payload and metadata, but for an event that is larger alone.
    pub bytes_max: usize,
    /// Which of them.
    pub filter: HistoryFilter,
}

/// What was found with a bounded amount of work.
#[derive(Debug)]
pub struct HistoryPage {
    /// In position order; empty if what was looked at holds nothing that is asked for.
    pub events: Vec<RecordedEvent>,
    /// After which position the next page begins; none at the end.
    pub next: Option<i64>,
}

/// The most events that one page looks at, whatever it is to find: about 0.1 s.
pub const LOOKED_AT_EVENTS_MAX: usize = 20_000;
/// After so many bytes of payload and metadata a page looks at no more.
const LOOKED_AT_BYTES_MAX: usize = 32 * 1024 * 1024;

impl EventLog {
    /// A page of history, in position order. It looks at a bounded number of events, so it may have fewer than asked for,
    /// or none, and still not be the last one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, LogError> {
        let filter = &query.filter;
        let mut page = HistoryPage { events: Vec::new(), next: None };
        let Some((mut after, to)) = self.bounds(query).await? else { return Ok(page) };
        let (mut bytes, mut looked_at, mut looked_at_bytes) = (0, 0, 0);
        loop {
            let wanted =
                if filter.is_about_content() { WINDOW_EVENTS } else { query.limit + 1 - page.events.len() };
            let window_events = wanted.min(WINDOW_EVENTS);
            let window = self.window(query.partition, filter.customer_id, after, to, window_events).await?;
            looked_at += window.events.len();
            for event in window.events {
                let size = event.size();
                looked_at_bytes += size;
                let position = event.position;
                if filter.accepts(&event) {
                    let is_full = page.events.len() >= query.limit || bytes + size > query.bytes_max;
                    if is_full && !page.events.is_empty() {
                        page.next = Some(after);
                        return Ok(page);
                    }
                    bytes += size;
                    page.events.push(event);
                }
                after = position;
            }
            if window.is_last {
                return Ok(page);
            }
            if looked_at >= LOOKED_AT_EVENTS_MAX || looked_at_bytes >= LOOKED_AT_BYTES_MAX {
                page.next = Some(after);
                return Ok(page);
            }
        }
    }

    /// After which position and up to which one a query looks; none if there is nothing in between.
    ///
    /// Times never go back within a partition, so each of them is a position, found in a few steps.
    async fn bounds(&self, query: &HistoryQuery) -> Result<Option<(i64, i64)>, LogError> {
        let (mut after, mut to) = (query.after, query.filter.to.unwrap_or(i64::MAX));
        if let Some(since) = query.filter.since {
            after = after.max(self.first_at(query.partition, since).await? - 1);
        }
        if let Some(until) = query.filter.until {
            to = to.min(self.first_at(query.partition, until).await? - 1);
        }
        Ok((after < to).then_some((after, to)))
    }

    /// The position of a partition's first event that was recorded at a time or after it; the next one's if there is none.
    async fn first_at(&self, partition: Partition, time: DateTime<Utc>) -> Result<i64, LogError> {
        let head =
            sqlx::query_scalar!("SELECT position FROM log_head WHERE partition = $1", i32::from(partition.0))
                .fetch_optional(self.pool())
                .await?;
        let mut bisect = Bisect::up_to(head.unwrap_or(0));
        while let Some(position) = bisect.middle() {
            let recorded_at = self.recorded_at(partition, position).await?;
            bisect.narrow(recorded_at.is_none_or(|recorded_at| recorded_at >= time));
        }
        Ok(bisect.first())
    }

    async fn recorded_at(
        &self,
        partition: Partition,
        position: i64,
    ) -> Result<Option<DateTime<Utc>>, LogError> {
        let recorded_at = sqlx::query_scalar!(
            "SELECT recorded_at FROM events WHERE partition = $1 AND position = $2",
            i32::from(partition.0),
            position,
        );
        Ok(recorded_at.fetch_optional(self.pool()).await?)
    }

    /// The next events of a partition, or of one customer in it, whatever they say.
    async fn window(
        &self,
        partition: Partition,
        customer: Option<CustomerId>,
        after: i64,
        to: i64,
        events_max: usize,
    ) -> Result<Window, LogError> {
        let (partition, limit) = (i32::from(partition.0), events_max as i64);
        let Some(customer) = customer else {
            let rows = sqlx::query_as!(
                Row,
                r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                          event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                     FROM events WHERE partition = $1 AND position > $2 AND position <= $3
                    ORDER BY position LIMIT $4"#,
                partition,
                after,
                to,
                limit,
            )
            .fetch(self.pool());
            return Window::read(rows, events_max).await;
        };
        // Rows are compared, and ordered by the customer too, so that only events_by_customer has them in order: with
        // `customer_id = $2` the primary key has, and a plan that takes it reads all the others' events of the partition.
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                      event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                 FROM events
                WHERE partition = $1 AND (customer_id, position) > ($2, $3) AND (customer_id, position) <= ($2, $4)
                ORDER BY customer_id, position LIMIT $5"#,
            partition,
            customer.0,
            after,
            to,
            limit,
        )
        .fetch(self.pool());
        Window::read(rows, events_max).await
    }
}
