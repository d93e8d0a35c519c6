use std::collections::HashSet;
use std::ops::Range;

use super::query::Query;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::{Scan, StandingRow};

/// Where a report takes its rows from: those of one customer that stand at one moment and pass the filters.
pub(crate) trait Source: Sync {
    /// Scans the rows that happened in `window`, in microseconds since 1970.
    fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> impl Future<Output = Result<(S, Vec<S::Partial>), ReportsError>> + Send;

    /// About how many rows happened in `window`.
    fn rows_about(&self, window: &Range<i64>) -> usize;

    /// Folds parts of what was gathered, on several threads, each into an accumulator of its own.
    fn fold_parts<T: Send + 'static, A: Send + 'static>(
        &self,
        parts: Vec<T>,
        begin: impl Fn() -> A + Send + Sync + 'static,
        fold: impl Fn(&mut A, T) + Send + Sync + 'static,
    ) -> impl Future<Output = Result<Vec<A>, ReportsError>> + Send;
}

impl Source for Query {
    fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> impl Future<Output = Result<(S, Vec<S::Partial>), ReportsError>> + Send {
        Self::scan(self, window, needs, scan)
    }

    fn rows_about(&self, window: &Range<i64>) -> usize {
        self.view.rows_about(window)
    }

    fn fold_parts<T: Send + 'static, A: Send + 'static>(
        &self,
        parts: Vec<T>,
        begin: impl Fn() -> A + Send + Sync + 'static,
        fold: impl Fn(&mut A, T) + Send + Sync + 'static,
    ) -> impl Future<Output = Result<Vec<A>, ReportsError>> + Send {
        self.view.fold_parts(parts, begin, fold)
    }
}

/// The rows of a window for which a test holds, in order: what is behind a number.
///
/// # Errors
/// As [`Query::scan`].
pub(crate) async fn rows_where(
    source: &impl Source,
    window: Range<i64>,
    mut needs: Needs,
    test: impl RowTest,
) -> Result<Vec<StandingRow>, ReportsError> {
    needs.order = true;
    let (_, partials) = source.scan(window, &needs, Collect(test)).await?;
    let mut rows = partials.concat();
    rows.sort_unstable();
    Ok(rows)
}

/// Chooses rows of a chunk.
pub(crate) trait RowTest: Send + Sync + 'static {
    /// Calls `take` for every row that counts and is chosen.
    fn choose(&self, rows: &Rows<'_>, take: impl FnMut(usize));
}

struct Collect<T>(T);

impl<T: RowTest> Scan for Collect<T> {
    type Partial = Vec<StandingRow>;

    fn begin(&self) -> Self::Partial {
        Vec::new()
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        self.0.choose(rows, |row| partial.push(StandingRow::of(rows, row)));
    }
}

/// Chooses activities by the positions that first recorded them.
pub(crate) struct FirstPositions(HashSet<i64, foldhash::fast::RandomState>);

impl FirstPositions {
    pub(crate) fn new(positions: Vec<i64>) -> Self {
        Self(positions.into_iter().collect())
    }
}

impl RowTest for FirstPositions {
    fn choose(&self, rows: &Rows<'_>, mut take: impl FnMut(usize)) {
        rows.each(|row| {
            if self.0.contains(&rows.first_positions.get(row)) {
                take(row);
            }
        });
    }
}

/// Chooses every row that counts.
pub(crate) struct EveryRow;

impl RowTest for EveryRow {
    fn choose(&self, rows: &Rows<'_>, take: impl FnMut(usize)) {
        rows.each(take);
    }
}
