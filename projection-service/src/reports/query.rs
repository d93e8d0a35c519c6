use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc, Weekday};
use chrono_tz::Tz;

use super::filter::Predicate;
use crate::columns::{Mask, Needs, Rows};
use crate::error::ReportsError;
use crate::view::{Scan, View};

/// The rows that a report is computed from: a customer's at one moment, in a range of time, that pass the filters.
pub(crate) struct Query {
    pub(crate) view: View,
    pub(crate) range: TimeRange,
    /// The filters.
    pub(super) predicate: Predicate,
    /// The parameter `limit`, if given.
    pub(crate) limit: Option<usize>,
    /// The number of rows that were scanned so far.
    pub(super) scanned: Arc<AtomicU64>,
}

/// The time that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TimeRange {
    /// Inclusive; whole microseconds.
    pub(crate) from: DateTime<Utc>,
    /// Exclusive; whole microseconds.
    pub(crate) to: DateTime<Utc>,
    /// The zone in which days, weeks and months begin.
    pub(crate) zone: Tz,
    /// The first day of a week.
    pub(crate) week_start: Weekday,
}

impl TimeRange {
    /// The range in microseconds since 1970.
    pub(crate) fn window(&self) -> Range<i64> {
        self.from.timestamp_micros()..self.to.timestamp_micros()
    }
}

impl Query {
    /// Scans the rows that happened in `window` (microseconds since 1970), are current at the moment and pass the filters.
    ///
    /// # Errors
    /// As [`View::scan`].
    pub(crate) async fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> Result<(S, Vec<S::Partial>), ReportsError> {
        let mut needs = needs.clone();
        let mut predicate = self.predicate.clone();
        predicate.add_needs(&mut needs);
        let filtered = Filtered { predicate, scan, scanned: Arc::clone(&self.scanned) };
        let (filtered, partials) = self.view.scan(window, &needs, filtered).await?;
        Ok((filtered.scan, partials))
    }
}

/// A scan of the rows that pass the filters.
struct Filtered<S> {
    predicate: Predicate,
    scan: S,
    scanned: Arc<AtomicU64>,
}

impl<S: Scan> Scan for Filtered<S> {
    type Partial = S::Partial;

    fn begin(&self) -> Self::Partial {
        self.scan.begin()
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        self.scanned.fetch_add(rows.range.len() as u64, Ordering::Relaxed);
        let Some(mut mask) = self.predicate.mask(rows) else { return self.scan.scan(partial, rows) };
        if let Some(standing) = rows.mask {
            mask.and(standing);
        }
        self.scan.scan(partial, &masked(rows, &mask));
    }
}

fn masked<'a>(rows: &Rows<'a>, mask: &'a Mask) -> Rows<'a> {
    Rows { mask: Some(mask), ..rows.clone() }
}
