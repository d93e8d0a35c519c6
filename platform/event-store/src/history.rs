use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use domain::{CustomerId, Partition};
use futures::{Stream, TryStreamExt};

use crate::log::{PAGE_EVENTS_MAX, Row};
use crate::{EventLog, LogError, RecordedEvent};

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
    /// At most so many events, and [`PAGE_EVENTS_MAX`].
    pub limit: i64,
    /// Which of them.
    pub filter: HistoryFilter,
}

impl EventLog {
    /// A page of history, in position order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn history(&self, query: &HistoryQuery) -> Result<Vec<RecordedEvent>, LogError> {
        let filter = &query.filter;
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                      event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                 FROM events
                WHERE partition = $1 AND position > $2
                  AND ($4::uuid IS NULL OR customer_id = $4)
                  AND ($5::bigint IS NULL OR position <= $5)
                  AND ($6::timestamptz IS NULL OR recorded_at >= $6)
                  AND ($7::timestamptz IS NULL OR recorded_at < $7)
                  AND ($8::text IS NULL OR coalesce(payload ->> 'actor', payload -> 'before' ->> 'actor') = $8)
                  AND ($9::text IS NULL
                       OR $9 IN (payload ->> 'type', payload -> 'before' ->> 'type', payload -> 'after' ->> 'type'))
                ORDER BY position LIMIT $3"#,
            i32::from(query.partition.0),
            query.after,
            query.limit.clamp(1, PAGE_EVENTS_MAX),
            filter.customer_id.map(|customer| customer.0),
            filter.to,
            filter.since,
            filter.until,
            filter.actor.as_deref(),
            filter.activity_type.as_deref(),
        )
        .fetch(self.pool());
        Ok(rows.map_ok(RecordedEvent::from).try_collect().await?)
    }

    /// A partition's history as a stream, page by page, so that memory does not grow with it.
    pub fn replay_partition(
        &self,
        partition: Partition,
        after: i64,
        filter: HistoryFilter,
    ) -> impl Stream<Item = Result<RecordedEvent, LogError>> + Send + use<> {
        futures::stream::try_unfold(
            Pages::new(self.clone(), partition, after, filter),
            |mut pages| async move { Ok(pages.next().await?.map(|event| (event, pages))) },
        )
    }

    /// The whole log as a stream, in order of recorded time, then partition and position. A partition's times never go
    /// back, so a merge of the partitions holds a page of each and no more.
    pub fn replay(
        &self,
        filter: HistoryFilter,
    ) -> impl Stream<Item = Result<RecordedEvent, LogError>> + Send + use<> {
        let filters = std::iter::repeat_n(filter, usize::from(self.partitions().count()));
        let pages: Vec<Pages> = self
            .partitions()
            .all()
            .zip(filters)
            .map(|(partition, filter)| Pages::new(self.clone(), partition, 0, filter))
            .collect();
        futures::stream::try_unfold(
            Merge { pages, next: BinaryHeap::new(), begun: false },
            |mut merge| async move { Ok(merge.next().await?.map(|event| (event, merge))) },
        )
    }
}

/// A partition's history, read ahead by a page.
struct Pages {
    log: EventLog,
    query: HistoryQuery,
    ready: VecDeque<RecordedEvent>,
    ended: bool,
}

const REPLAY_PAGE_EVENTS: i64 = 1_000;

impl Pages {
    fn new(log: EventLog, partition: Partition, after: i64, filter: HistoryFilter) -> Self {
        let query = HistoryQuery { partition, after, limit: REPLAY_PAGE_EVENTS, filter };
        Self { log, query, ready: VecDeque::new(), ended: false }
    }

    async fn next(&mut self) -> Result<Option<RecordedEvent>, LogError> {
        if self.ready.is_empty() && !self.ended {
            self.ready = self.log.history(&self.query).await?.into();
            self.ended = self.ready.len() < REPLAY_PAGE_EVENTS as usize;
            if let Some(last) = self.ready.back() {
                self.query.after = last.position;
            }
        }
        Ok(self.ready.pop_front())
    }
}

struct Merge {
    pages: Vec<Pages>,
    /// The next event of each partition that has one; the events themselves lie in `pages`' order.
    next: BinaryHeap<Reverse<Next>>,
    begun: bool,
}

struct Next(RecordedEvent);

impl Next {
    fn key(&self) -> (DateTime<Utc>, Partition, i64) {
        (self.0.recorded_at, self.0.partition, self.0.position)
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Merge {
    async fn next(&mut self) -> Result<Option<RecordedEvent>, LogError> {
        if !self.begun {
            self.begun = true;
            for pages in &mut self.pages {
                self.next.extend(pages.next().await?.map(|event| Reverse(Next(event))));
            }
        }
        let Some(Reverse(Next(event))) = self.next.pop() else { return Ok(None) };
        let following = self.pages[usize::from(event.partition.0)].next().await?;
        self.next.extend(following.map(|event| Reverse(Next(event))));
        Ok(Some(event))
    }
}
