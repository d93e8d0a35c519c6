use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use chrono::{DateTime, Utc};
use domain::Partition;
use futures::Stream;

use super::{History, HistoryFilter, HistoryQuery};
use crate::{LogError, RecordedEvent};

/// The most events of a page that is read ahead.
const PAGE_EVENTS_MAX: usize = 1_000;
/// The most bytes of it: one is held for each partition, or for each reader of a stream.
const PAGE_BYTES_MAX: usize = 1024 * 1024;

impl History {
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
        let filters = std::iter::repeat_n(filter, usize::from(self.log.partitions().count()));
        let pages: Vec<Pages> = self
            .log
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
    history: History,
    query: HistoryQuery,
    ready: VecDeque<RecordedEvent>,
    ended: bool,
}

impl Pages {
    fn new(history: History, partition: Partition, after: i64, filter: HistoryFilter) -> Self {
        let query =
            HistoryQuery { partition, after, limit: PAGE_EVENTS_MAX, bytes_max: PAGE_BYTES_MAX, filter };
        Self { history, query, ready: VecDeque::new(), ended: false }
    }

    async fn next(&mut self) -> Result<Option<RecordedEvent>, LogError> {
        // A page with nothing in it is not the end.
        while self.ready.is_empty() && !self.ended {
            let page = self.history.page(&self.query).await?;
            self.ready = page.events.into();
            match page.next {
                Some(next) => self.query.after = next,
                None => self.ended = true,
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
