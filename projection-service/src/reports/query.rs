use std::ops::Range;

use chrono::{DateTime, Utc, Weekday};
use chrono_tz::Tz;

use crate::columns::Needs;
use crate::error::ReportsError;
use crate::view::{Scan, View};

/// What every report is asked with: whose rows, at which moment, in which time, and which of them.
pub(crate) struct Query {
    pub(crate) view: View,
    pub(crate) range: TimeRange,
}

/// The time that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TimeRange {
    /// Inclusive.
    pub(crate) from: DateTime<Utc>,
    /// Exclusive.
    pub(crate) to: DateTime<Utc>,
    /// In which days, weeks and months begin.
    pub(crate) zone: Tz,
    /// On which weeks begin.
    pub(crate) week_start: Weekday,
}

impl Query {
    /// Scans the rows that happened in `window` (microseconds since 1970), stand at the moment and pass the filters.
    ///
    /// # Errors
    /// As [`View::scan`].
    pub(crate) async fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> Result<(S, Vec<S::Partial>), ReportsError> {
        self.view.scan(window, needs, scan).await
    }
}
