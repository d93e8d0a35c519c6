//! Lists of activities, the newest first: of all that pass the filters, or of those behind a number of a report.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Query;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::{Activity, Scan, StandingRow};

/// The length of the window that is scanned first, which mostly has a whole page.
const WINDOW_FIRST_US: i64 = 60 * 60 * 1_000_000;
/// Each further window is this many times as long.
const WINDOW_FACTOR: i64 = 8;
/// Rows of a chunk that are scanned as one block, from its end.
const BLOCK: usize = 1_024;

/// The last activity of a page, as time and first position. No two activities have both in common, so pages neither skip
/// nor repeat one, whatever is recorded in the meantime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    time: i64,
    first_position: i64,
}

impl Cursor {
    fn of(row: &StandingRow) -> Self {
        Self { time: row.time, first_position: row.first_position }
    }

    /// Reads a text that [`Self::text`] wrote.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn parse(text: &str) -> Result<Self, ReportsError> {
        let bytes: Option<[u8; 16]> =
            URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| {
            ReportsError::Caller(chassis::Problem::parameter("cursor", "must be the next_cursor of a page"))
        })?;
        let number =
            |at: usize| bytes[at..at + 8].iter().fold(0, |number, byte| number << 8 | i64::from(*byte));
        Ok(Self { time: number(0), first_position: number(8) })
    }

    pub(crate) fn text(self) -> String {
        URL_SAFE_NO_PAD.encode([self.time, self.first_position].map(i64::to_be_bytes).concat())
    }
}

/// A page of activities.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityPage {
    /// The newest first, by the time at which they happened.
    pub(crate) items: Vec<Activity>,
    /// The `cursor` of the next page; null if this is the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// Rows of a page, and the cursor of the next one.
pub(crate) struct PageOfRows {
    pub(crate) rows: Vec<StandingRow>,
    pub(crate) next: Option<Cursor>,
}

impl PageOfRows {
    /// Cuts off the row beyond `limit`; rows are sorted, the newest first, and may have one more than `limit`.
    fn cut(mut rows: Vec<StandingRow>, limit: usize) -> Self {
        let next = chassis::cut_page(&mut rows, limit).map(Cursor::of);
        Self { rows, next }
    }

    /// The page after a cursor, of rows in any order.
    pub(crate) fn of(mut rows: Vec<StandingRow>, before: Option<Cursor>, limit: usize) -> Self {
        rows.retain(|row| before.is_none_or(|before| Cursor::of(row) < before));
        if rows.len() > limit + 1 {
            rows.select_nth_unstable_by(limit, |one, other| other.cmp(one));
            rows.truncate(limit + 1);
        }
        rows.sort_unstable_by(|one, other| other.cmp(one));
        Self::cut(rows, limit)
    }

    /// The page after a cursor, of all rows that pass the filters. Scans the newest hour first, then longer windows.
    ///
    /// # Errors
    /// As [`Query::scan`].
    pub(crate) async fn read(
        query: &Query,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Self, ReportsError> {
        let range = query.range.window();
        let end = before.map_or(range.end, |before| before.time.saturating_add(1).min(range.end));
        let Some((first, last)) = query.view.times() else {
            return Ok(Self { rows: Vec::new(), next: None });
        };
        let (range, end) = (range.start.max(first)..range.end, end.min(last.saturating_add(1)));
        let mut length = WINDOW_FIRST_US;
        loop {
            let start = end.saturating_sub(length).max(range.start);
            let rows = newest(query, start..end, before, limit + 1).await?;
            if rows.len() > limit || start <= range.start {
                return Ok(Self::cut(rows, limit));
            }
            length = length.saturating_mul(WINDOW_FACTOR);
        }
    }

    /// Reads the activities of the page from the log.
    ///
    /// # Errors
    /// As [`Query::scan`].
    pub(crate) async fn fill(self, query: &Query) -> Result<ActivityPage, ReportsError> {
        let items = query.view.activities(&self.rows).await?;
        Ok(ActivityPage { items, next_cursor: self.next.map(Cursor::text) })
    }
}

/// The newest rows of a window, the newest first.
async fn newest(
    query: &Query,
    window: Range<i64>,
    before: Option<Cursor>,
    count: usize,
) -> Result<Vec<StandingRow>, ReportsError> {
    if window.start >= window.end {
        return Ok(Vec::new());
    }
    let needs = Needs { order: true, ..Needs::default() };
    let (_, partials) = query.scan(window, &needs, Newest { before, count }).await?;
    let mut rows: Vec<StandingRow> = partials.into_iter().flatten().map(|Reverse(row)| row).collect();
    rows.sort_unstable_by(|one, other| other.cmp(one));
    rows.truncate(count);
    Ok(rows)
}

struct Newest {
    before: Option<Cursor>,
    count: usize,
}

impl Scan for Newest {
    type Partial = BinaryHeap<Reverse<StandingRow>>;

    fn begin(&self) -> Self::Partial {
        BinaryHeap::new()
    }

    fn scan(&self, newest: &mut Self::Partial, rows: &Rows<'_>) {
        let Range { start, mut end } = rows.range;
        while end > start {
            let is_full = newest.len() >= self.count;
            if is_full && newest.peek().is_some_and(|Reverse(oldest)| rows.times.get(end - 1) < oldest.time) {
                return;
            }
            let block = end.saturating_sub(BLOCK).max(start);
            rows.each_of(block..end, |row| {
                let row = StandingRow::of(rows, row);
                if self.before.is_some_and(|before| Cursor::of(&row) >= before) {
                    return;
                }
                if newest.len() < self.count {
                    newest.push(Reverse(row));
                } else if let Some(mut oldest) = newest.peek_mut()
                    && oldest.0 < row
                {
                    *oldest = Reverse(row);
                }
            });
            end = block;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::RowSet;
    use crate::reports::in_memory::scan;

    fn row(time: i64, position: i64) -> StandingRow {
        StandingRow { time, first_position: position, position }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for cursor in [
            Cursor { time: 1_774_748_400_123_456, first_position: 4_711 },
            Cursor { time: -5, first_position: 0 },
        ] {
            assert_eq!(Cursor::parse(&cursor.text()).unwrap(), cursor);
        }
        for text in ["", "x", "AAAA", "!!"] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pages_have_every_row_once_and_the_newest_first() {
        // Several at one time, as an import makes them.
        let all: Vec<StandingRow> = (0..50).map(|position| row(position * 7 % 11, position)).collect();
        let mut sets = vec![RowSet::default(), RowSet::default()];
        for row in &all {
            let set = &mut sets[(row.position % 2) as usize];
            set.push(row.position, row.first_position, row.time, 0, "a", None, |_| {});
        }
        let mut wanted = all.clone();
        wanted.sort_unstable_by(|one, other| other.cmp(one));
        let needs = Needs { order: true, ..Needs::default() };
        let (mut listed, mut known, mut before) = (Vec::new(), Vec::new(), None);
        loop {
            let partials = scan(&sets, &(0..100), &needs, &Newest { before, count: 8 });
            let rows: Vec<_> = partials.into_iter().flatten().map(|Reverse(row)| row).collect();
            let page = PageOfRows::of(rows, None, 7);
            let same = PageOfRows::of(all.clone(), before, 7);
            listed.extend(page.rows);
            known.extend(same.rows);
            assert_eq!(page.next, same.next);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(listed, wanted);
        assert_eq!(known, wanted);
    }
}
