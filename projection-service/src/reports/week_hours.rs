//! Hours of the week: when, from Monday to Sunday, activities happen.

use chrono::{DateTime, Datelike, Timelike};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::activity::each_bucket;
use super::query::{Query, TimeRange};
use super::source::{RowTest, rows_where};
use crate::calendar::{self, Interval};
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::{Scan, StandingRow};

const DAYS_MAX: usize = 400;
const HOURS_OF_DAY: usize = 24;
const HOURS_OF_WEEK: usize = 7 * HOURS_OF_DAY;
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Nothing but what every report is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {}

/// Activity by the hour of the week.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeekHoursBody)]
pub(crate) struct Body {
    /// All 168 of them, from Monday.
    hours: Vec<WeekHour>,
}

/// One hour of the week.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WeekHour {
    /// The day.
    #[schema(example = "monday")]
    weekday: &'static str,
    /// The hour, 0 to 23.
    hour: usize,
    /// How many activities.
    count: u64,
}

/// The hours of a range, and which hour of the week each one is.
struct Hours {
    starts: Vec<i64>,
    of_week: Vec<usize>,
}

impl Hours {
    fn new(range: &TimeRange) -> Result<Self, ReportsError> {
        let max = DAYS_MAX * HOURS_OF_DAY;
        let starts =
            calendar::starts(Interval::Hour, range.zone, range.from, range.to, max).ok_or_else(|| {
                ReportsError::parameter("from", format!("must be at most {DAYS_MAX} days before to"))
            })?;
        let of_week = starts.iter().map(|start| {
            let local = start.with_timezone(&range.zone);
            local.weekday().num_days_from_monday() as usize * HOURS_OF_DAY + local.hour() as usize
        });
        Ok(Self {
            of_week: of_week.collect(),
            starts: starts.iter().map(DateTime::timestamp_micros).collect(),
        })
    }
}

/// Computes the report.
///
/// # Errors
/// 422 for too long a range; as [`Query::scan`].
pub(crate) async fn answer(_: Parameters, query: &Query) -> Result<Body, ReportsError> {
    let scan = Hours::new(&query.range)?;
    let (scan, partials) = query.scan(query.range.window(), &Needs::default(), scan).await?;
    let mut counts = scan.begin();
    for partial in partials {
        counts.iter_mut().zip(partial).for_each(|(count, other)| *count += other);
    }
    let hour = |(index, count)| WeekHour {
        weekday: WEEKDAYS[index / HOURS_OF_DAY],
        hour: index % HOURS_OF_DAY,
        count,
    };
    Ok(Body { hours: counts.into_iter().enumerate().map(hour).collect() })
}

impl Scan for Hours {
    type Partial = Vec<u64>;

    fn begin(&self) -> Self::Partial {
        vec![0; HOURS_OF_WEEK]
    }

    fn scan(&self, counts: &mut Self::Partial, rows: &Rows<'_>) {
        each_bucket(rows, &self.starts, |hour, part| {
            counts[self.of_week[hour]] += rows.count_of(part) as u64;
        });
    }
}

/// `WEEKDAY,HOUR`: the activities in an hour of the week.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn explain(
    _: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let unknown = || ReportsError::parameter("explain", "must be an hour of the week, as monday,9");
    let (weekday, hour) = cell.split_once(',').ok_or_else(unknown)?;
    let weekday = WEEKDAYS.iter().position(|name| *name == weekday).ok_or_else(unknown)?;
    let hour = hour.parse::<usize>().ok().filter(|hour| *hour < HOURS_OF_DAY).ok_or_else(unknown)?;
    let chosen = InHour { hours: Hours::new(&query.range)?, of_week: weekday * HOURS_OF_DAY + hour };
    rows_where(query, query.range.window(), Needs::default(), chosen).await
}

/// Chooses the rows of one hour of the week.
struct InHour {
    hours: Hours,
    of_week: usize,
}

impl RowTest for InHour {
    fn choose(&self, rows: &Rows<'_>, mut take: impl FnMut(usize)) {
        each_bucket(rows, &self.hours.starts, |hour, part| {
            if self.hours.of_week[hour] == self.of_week {
                rows.each_of(part, &mut take);
            }
        });
    }
}
