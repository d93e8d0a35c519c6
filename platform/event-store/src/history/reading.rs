use super::index::{self, KnownPositions, PositionIndex};
use super::window::WINDOW_EVENTS;
use super::{HistoryPage, HistoryQuery, LOOKED_AT_BYTES_MAX, LOOKED_AT_EVENTS_MAX};
use crate::{EventLog, LogError, RecordedEvent};

/// While one event in so many is asked for, reading all of them takes no longer than looking each of them up.
const DENSE_ONE_IN: usize = 8;

/// A page while it is being read.
pub(super) struct Reading<'a> {
    log: &'a EventLog,
    query: &'a HistoryQuery,
    /// Who may know where events lie; none once nothing more is known.
    index: Option<&'a dyn PositionIndex>,
    /// Whether few of the events are asked for, so that it pays to ask where they lie.
    is_sparse: bool,
    /// The next positions that are known, and still to be read.
    known: Option<KnownPositions>,
    /// How it was found what is asked for, for the metrics.
    found_by: &'static str,
    /// Where it has come to.
    after: i64,
    /// Where it ends.
    to: i64,
    page: HistoryPage,
    page_bytes: usize,
    looked_at_events: usize,
    looked_at_bytes: usize,
}

/// Whether a page goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Goes,
    Ends,
}

impl<'a> Reading<'a> {
    pub(super) fn begin(log: &'a EventLog, query: &'a HistoryQuery, (after, to): (i64, i64)) -> Self {
        Self {
            log,
            query,
            index: None,
            is_sparse: false,
            known: None,
            found_by: "scan",
            after,
            to,
            page: HistoryPage { events: Vec::new(), next: None },
            page_bytes: 0,
            looked_at_events: 0,
            looked_at_bytes: 0,
        }
    }

    /// Asks an index where events lie: from the beginning, or after a look at some of them.
    pub(super) fn with_index(self, index: &'a dyn PositionIndex, at_once: bool) -> Self {
        let is_possible = self.query.filter.is_about_content() && self.query.filter.customer_id.is_some();
        Self { index: is_possible.then_some(index), is_sparse: at_once, ..self }
    }

    /// Reads the page to its end.
    ///
    /// # Errors
    /// An error if the database fails.
    pub(super) async fn finish(mut self) -> Result<HistoryPage, LogError> {
        self.read().await?;
        if self.query.filter.is_about_content() {
            metrics::counter!("daybook_history_filtered_pages_total", "found_by" => self.found_by)
                .increment(1);
        }
        Ok(self.page)
    }

    async fn read(&mut self) -> Result<(), LogError> {
        loop {
            let step = match self.index {
                Some(index) if self.is_sparse => self.look_up(index).await?,
                _ => self.scan().await?,
            };
            if step == Step::Ends {
                return Ok(());
            }
            if self.looked_at_events >= LOOKED_AT_EVENTS_MAX || self.looked_at_bytes >= LOOKED_AT_BYTES_MAX {
                self.page.next = Some(self.after);
                return Ok(());
            }
        }
    }

    /// Reads the next events, whatever they say.
    async fn scan(&mut self) -> Result<Step, LogError> {
        let filter = &self.query.filter;
        let wanted = if filter.is_about_content() { WINDOW_EVENTS } else { self.wanted() };
        let (partition, events_max) = (self.query.partition, wanted.min(WINDOW_EVENTS));
        let window = self.log.window(partition, filter.customer_id, self.after, self.to, events_max).await?;
        let (read, found) = (window.events.len(), self.page.events.len());
        for event in window.events {
            if self.take(event) == Step::Ends {
                return Ok(Step::Ends);
            }
        }
        self.is_sparse = (self.page.events.len() - found) * DENSE_ONE_IN < read;
        Ok(if window.is_last { Step::Ends } else { Step::Goes })
    }

    /// Reads the next events of those whose positions are known.
    async fn look_up(&mut self, index: &dyn PositionIndex) -> Result<Step, LogError> {
        let Some(known) = &mut self.known else {
            let bounds = (self.after, self.to);
            match index::ask(self.log, index, self.query, bounds, self.wanted()).await? {
                Some(known) => (self.known, self.found_by) = (Some(known), "positions"),
                None => self.index = None,
            }
            return Ok(Step::Goes);
        };
        if known.positions.is_empty() {
            self.after = known.complete_to;
            if known.ends_here() {
                self.index = None;
            }
            self.known = None;
            return Ok(if self.after >= self.to { Step::Ends } else { Step::Goes });
        }
        let some = &known.positions[..known.positions.len().min(WINDOW_EVENTS)];
        let window = self.log.window_at(self.query.partition, some).await?;
        // A window may have been cut before the last one of them.
        let last = window.events.last().map_or(i64::MAX, |event| event.position);
        let last = if window.is_last { i64::MAX } else { last };
        let done = some.partition_point(|position| *position <= last);
        known.positions.drain(..done);
        let customer = self.query.filter.customer_id;
        for event in window.events.into_iter().filter(|event| Some(event.customer_id) == customer) {
            if self.take(event) == Step::Ends {
                return Ok(Step::Ends);
            }
        }
        Ok(Step::Goes)
    }

    /// How many more events fill the page, and one more that says whether another page follows.
    fn wanted(&self) -> usize {
        self.query.limit + 1 - self.page.events.len()
    }

    /// Looks at the next event.
    fn take(&mut self, event: RecordedEvent) -> Step {
        let (size, position) = (event.size(), event.position);
        self.looked_at_events += 1;
        self.looked_at_bytes += size;
        if self.query.filter.accepts(&event) {
            let is_full =
                self.page.events.len() >= self.query.limit || self.page_bytes + size > self.query.bytes_max;
            if is_full && !self.page.events.is_empty() {
                self.page.next = Some(self.after);
                return Step::Ends;
            }
            self.page_bytes += size;
            self.page.events.push(event);
        }
        self.after = position;
        Step::Goes
    }
}
