//! Sessions: activities of an actor that follow each other without a long pause.

mod follow;
mod numbers;

use std::time::Duration;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::follow::{Session, Tally};
use self::numbers::Numbers;
use super::durations;
use super::query::{Query, TimeRange};
use super::source::{FirstPositions, Source, rows_where};
use super::units::{Unit, Units, window};
use crate::columns::Needs;
use crate::error::ReportsError;
use crate::view::StandingRow;

/// The most days of one report.
const DAYS_MAX: usize = 4_000;
/// The pause that ends a session, unless another one is asked for.
pub(crate) const GAP_DEFAULT: Duration = Duration::from_mins(30);
/// The longest pause that can be asked for.
pub(crate) const GAP_MAX: Duration = Duration::from_hours(168);

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// A session ends before a pause that is longer than this; by default `30m`, at most `7d`.
    #[param(example = "30m")]
    gap: Option<String>,
}

/// Sessions that begin in the range, whole even where they go on after it.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SessionsBody)]
pub(crate) struct Body {
    /// How many there are.
    sessions: u64,
    /// How many different actors they are of.
    actors: u64,
    /// The median of their lengths from the first to the last activity, in seconds; none without sessions.
    #[schema(required)]
    median_s: Option<f64>,
    /// How many activities they have on average; none without sessions.
    #[schema(required)]
    mean_activities: Option<f64>,
    /// How many have one activity only.
    single: u64,
    /// Every day that the range touches.
    days: Vec<Day>,
}

/// The sessions that begin on a day.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SessionsDay)]
pub(crate) struct Day {
    /// The day, in the time zone of the report.
    date: NaiveDate,
    /// How many there are.
    sessions: u64,
    /// How many different actors they are of.
    actors: u64,
}

impl Parameters {
    fn gap(&self) -> Result<i64, ReportsError> {
        let gap = self.gap.as_deref().map_or(Ok(GAP_DEFAULT), |text| durations::parse("gap", text, GAP_MAX));
        Ok(durations::micros(gap?))
    }
}

pub(crate) async fn answer(parameters: Parameters, query: &Query) -> Result<Body, ReportsError> {
    compute(query, &query.range, parameters.gap()?).await
}

/// A day, `total`, or `single`: the first activity of each session.
pub(crate) async fn explain(
    parameters: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    behind(query, &query.range, parameters.gap()?, cell).await
}

async fn compute(source: &impl Source, range: &TimeRange, gap: i64) -> Result<Body, ReportsError> {
    let days = days(range)?;
    let numbers = Numbers::new(days.starts.clone());
    let numbers = follow::sessions(source, window(range), gap, numbers).await?;
    Ok(numbers.body(&days))
}

fn days(range: &TimeRange) -> Result<Units, ReportsError> {
    Units::new(Unit::Day, range, 0, DAYS_MAX)
        .ok_or_else(|| ReportsError::parameter("from", format!("must be at most {DAYS_MAX} days before to")))
}

async fn behind(
    source: &impl Source,
    range: &TimeRange,
    gap: i64,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let unknown = || ReportsError::parameter("explain", "must be a day of the report, total or single");
    let mut window = window(range);
    if !matches!(cell, "total" | "single") {
        let days = days(range)?;
        let date = cell.parse().map_err(|_| unknown())?;
        let day = days.window(days.find(date).ok_or_else(unknown)?);
        window = window.start.max(day.start)..window.end.min(day.end);
    }
    let first = First { only_single: cell == "single", positions: Vec::new() };
    let first = follow::sessions(source, window.clone(), gap, first).await?;
    rows_where(source, window, Needs::default(), FirstPositions::new(first.positions)).await
}

/// The first activity of each session.
struct First {
    only_single: bool,
    positions: Vec<i64>,
}

impl Tally for First {
    const NEEDS_POSITIONS: bool = true;

    fn empty(&self) -> Self {
        Self { only_single: self.only_single, positions: Vec::new() }
    }

    fn begin(&mut self, _: u32, _: i64) {}

    fn end(&mut self, session: &Session) {
        if session.activities == 1 || !self.only_single {
            self.positions.push(session.first_position);
        }
    }

    fn merge(&mut self, other: Self) {
        self.positions.extend(other.positions);
    }
}

#[cfg(test)]
mod tests;
