use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Range, Snapshot};
use crate::answers::AsOf;
use crate::calendar::{Interval, quarter_after, quarter_before};
use crate::error::ReportsError;

/// The most numbers of one report: buckets times groups.
pub(crate) const NUMBERS_MAX: usize = 10_000;

/// What is told of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Measure {
    /// How many activities.
    Count,
    /// The sum of their values.
    Sum,
    /// The mean of their values.
    Mean,
}

/// What is asked.
#[derive(Hash)]
pub(crate) struct Question {
    pub(crate) range: Range,
    pub(crate) interval: Interval,
    pub(crate) measure: Measure,
    pub(crate) by_type: bool,
    pub(crate) activity_type: Option<String>,
    /// The buckets' starts.
    pub(crate) starts: Vec<DateTime<Utc>>,
}

/// A whole number where one is counted, and a double where one is computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Whole(i64),
    Real(f64),
}

/// Activity over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityReport {
    /// The measure over the whole range.
    #[schema(value_type = f64)]
    total: Number,
    /// Every bucket, the empty ones too; with `group_by`, for every group that occurs in the range.
    series: Vec<Bucket>,
    /// How far history is in it.
    as_of: AsOf,
    /// How long the first event that is not in it has been waiting, in milliseconds.
    lag_ms: i64,
}

/// One number of the report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityBucket)]
pub(crate) struct Bucket {
    /// When it begins. The first one may begin before `from`, and has only what lies after it.
    #[serde(rename = "bucket")]
    start: DateTime<Utc>,
    /// The group; only with `group_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group: Option<String>,
    /// The measure.
    #[schema(value_type = f64)]
    count: Number,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    count: i64,
    value_count: i64,
    value_sum: f64,
}

impl Cell {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.value_count += other.value_count;
        self.value_sum += other.value_sum;
    }

    fn number(self, measure: Measure) -> Number {
        // JSON has no infinity.
        let real = |number: f64| Number::Real(number.clamp(f64::MIN, f64::MAX));
        match measure {
            Measure::Count => Number::Whole(self.count),
            Measure::Sum => real(self.value_sum),
            Measure::Mean if self.value_count == 0 => Number::Real(0.0),
            Measure::Mean => real(self.value_sum / self.value_count as f64),
        }
    }
}

/// Which table has which part of a range: quarters of an hour in the middle, minutes at the edges.
#[derive(Debug, PartialEq, Eq)]
struct Spans {
    quarters: (DateTime<Utc>, DateTime<Utc>),
    minutes: [(DateTime<Utc>, DateTime<Utc>); 2],
}

impl Spans {
    fn of(range: &Range, interval: Interval) -> Self {
        let (from, to) = (range.from, range.to);
        let (first, last) = (quarter_after(from), quarter_before(to));
        if interval == Interval::Minute || first >= last {
            return Self { quarters: (to, to), minutes: [(from, to), (to, to)] };
        }
        Self { quarters: (first, last), minutes: [(from, first), (last, to)] }
    }
}

impl Snapshot {
    /// The report.
    pub(crate) async fn activity(mut self, question: &Question) -> Result<ActivityReport, ReportsError> {
        let cells = self.cells(question).await?;
        let groups: BTreeSet<Option<&String>> = if question.by_type {
            cells.keys().map(|(_, group)| group.as_ref()).collect()
        } else {
            BTreeSet::from([None])
        };
        if question.starts.len() * groups.len() > NUMBERS_MAX {
            let (buckets, groups) = (question.starts.len(), groups.len());
            return Err(ReportsError::parameter(
                "interval",
                format!(
                    "gives {buckets} buckets for each of {groups} types, and a report has at most {NUMBERS_MAX} numbers: ask for a longer interval, a shorter range or one type"
                ),
            ));
        }
        let mut total = Cell::default();
        let mut series = Vec::with_capacity(question.starts.len() * groups.len());
        for (index, start) in question.starts.iter().enumerate() {
            for group in &groups {
                let group = group.cloned();
                let key = (index, group);
                let cell = cells.get(&key).copied().unwrap_or_default();
                total.add(cell);
                series.push(Bucket { start: *start, group: key.1, count: cell.number(question.measure) });
            }
        }
        Ok(ActivityReport {
            total: total.number(question.measure),
            series,
            as_of: self.as_of,
            lag_ms: self.lag_ms,
        })
    }

    async fn cells(
        &mut self,
        question: &Question,
    ) -> Result<BTreeMap<(usize, Option<String>), Cell>, ReportsError> {
        let Spans { quarters, minutes: [before, after] } = Spans::of(&question.range, question.interval);
        let rows = sqlx::query!(
            r#"WITH counts AS (
                   SELECT bucket, type, count, value_count, value_sum FROM activity_quarters
                    WHERE generation = $1 AND partition = $2 AND customer_id = $3
                      AND bucket >= $4 AND bucket < $5 AND ($10::text IS NULL OR type = $10)
                   UNION ALL
                   SELECT bucket, type, count, value_count, value_sum FROM activity_minutes
                    WHERE generation = $1 AND partition = $2 AND customer_id = $3
                      AND bucket >= $6 AND bucket < $7 AND ($10::text IS NULL OR type = $10)
                   UNION ALL
                   SELECT bucket, type, count, value_count, value_sum FROM activity_minutes
                    WHERE generation = $1 AND partition = $2 AND customer_id = $3
                      AND bucket >= $8 AND bucket < $9 AND ($10::text IS NULL OR type = $10)
               )
               SELECT width_bucket(bucket, $11::timestamptz[]) AS "number!", CASE WHEN $12 THEN type END AS type,
                      sum(count)::bigint AS "count!", sum(value_count)::bigint AS "value_count!",
                      sum(value_sum)::text AS "value_sum!"
                 FROM counts GROUP BY 1, 2"#,
            self.place.generation,
            self.place.partition,
            self.customer.0,
            quarters.0,
            quarters.1,
            before.0,
            before.1,
            after.0,
            after.1,
            question.activity_type.as_deref(),
            &question.starts,
            question.by_type,
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        let mut cells: BTreeMap<(usize, Option<String>), Cell> = BTreeMap::new();
        for row in rows {
            let value_sum = row.value_sum.parse().unwrap_or(0.0);
            let cell = Cell { count: row.count, value_count: row.value_count, value_sum };
            let index = usize::try_from(row.number - 1).unwrap_or(0);
            cells.entry((index, row.r#type)).or_default().add(cell);
        }
        Ok(cells)
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn spans(from: &str, to: &str, interval: Interval) -> Vec<(String, String)> {
        let range = Range { from: from.parse().unwrap(), to: to.parse().unwrap(), zone: Tz::UTC };
        let Spans { quarters, minutes: [before, after] } = Spans::of(&range, interval);
        let some = [quarters, before, after].into_iter().filter(|(from, to)| from < to);
        let time = |time: DateTime<Utc>| time.format("%H:%M").to_string();
        some.map(|(from, to)| (time(from), time(to))).collect()
    }

    #[test]
    fn a_range_is_covered_once_and_whole() {
        let span = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let (from, to) = ("2026-01-01T10:07:00Z", "2026-01-01T11:52:00Z");
        let all = [span("10:15", "11:45"), span("10:07", "10:15"), span("11:45", "11:52")];
        assert_eq!(spans(from, to, Interval::Day), all);
        assert_eq!(spans(from, to, Interval::Minute), [span("10:07", "11:52")]);
        assert_eq!(spans(from, "2026-01-01T10:16:00Z", Interval::Day), [span("10:07", "10:16")]);
        assert_eq!(
            spans("2026-01-01T10:00:00Z", "2026-01-01T10:15:00Z", Interval::Hour),
            [span("10:00", "10:15")]
        );
    }

    #[test]
    fn a_sum_that_no_double_holds_is_the_largest_one() {
        let cell = Cell { count: 2, value_count: 2, value_sum: f64::INFINITY };
        assert_eq!(cell.number(Measure::Sum), Number::Real(f64::MAX));
        assert_eq!(Cell::default().number(Measure::Mean), Number::Real(0.0));
    }
}
