use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{CustomerId, Partition};

use crate::log::Row;
use crate::{EventLog, LogError, RecordedEvent};

mod bisect;
mod bounds;
mod filter;
mod index;
mod reading;
mod replay;
mod stream;
mod window;

pub use index::{KnownPositions, PositionIndex, PositionQuestion};
use reading::Reading;
pub use stream::{StreamPage, StreamQuery};
use window::Window;

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
#[derive(Debug, Default)]
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

/// Reads the history of a log.
#[derive(Clone, Debug)]
pub struct History {
    log: EventLog,
    /// Who may know where events lie.
    index: Option<Arc<dyn PositionIndex>>,
    asks_at_once: bool,
}

impl History {
    /// Reads events to find those that are asked for.
    #[must_use]
    pub fn of(log: EventLog) -> Self {
        Self { log, index: None, asks_at_once: false }
    }

    /// Asks an index where events lie, when few of a customer's events are what is asked for.
    #[must_use]
    pub fn with_index(self, index: Arc<dyn PositionIndex>) -> Self {
        Self { index: Some(index), ..self }
    }

    /// Asks the index before any event was read to see whether few are asked for: a short history needs no index, and its
    /// test does.
    #[must_use]
    pub fn asking_at_once(self) -> Self {
        Self { asks_at_once: true, ..self }
    }

    /// A page of history, in position order. It looks at a bounded number of events, so it may have fewer than asked for,
    /// or none, and still not be the last one.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn page(&self, query: &HistoryQuery) -> Result<HistoryPage, LogError> {
        let Some(bounds) = self.log.bounds(query).await? else { return Ok(HistoryPage::default()) };
        let reading = Reading::begin(&self.log, query, bounds);
        match self.index.as_deref() {
            Some(index) => reading.with_index(index, self.asks_at_once).finish().await,
            None => reading.finish().await,
        }
    }
}

impl EventLog {
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
