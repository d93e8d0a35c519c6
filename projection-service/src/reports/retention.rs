//! Retention: how many of those who began in a unit came back in the units after it.

mod cohorts;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::cohorts::Cohorts;
use super::matching::Matching;
use super::query::Query;
use super::source::{Source, rows_where};
use super::steps::filter_of_text;
use super::units::{Unit, Units};
use crate::error::ReportsError;
use crate::view::StandingRow;

/// The most units of one report.
const UNITS_MAX: usize = 400;

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// How long a unit is; by default a day.
    #[param(inline)]
    unit: Option<Unit>,
    /// What an actor begins with: a type, or a JSON array of filters. By default any activity.
    #[param(example = "user.signed_up")]
    start: Option<String>,
    /// What an actor comes back with: a type, or a JSON array of filters. By default any activity.
    #[serde(rename = "return")]
    #[param(example = r#"[["is","type","page.viewed"]]"#)]
    returning: Option<String>,
    /// Which units an actor belongs to; by default `first`.
    #[param(inline)]
    cohort: Option<Cohort>,
}

/// Which units an actor belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cohort {
    /// The one of its first activity ever that matches `start`.
    #[default]
    First,
    /// Every one in which it has an activity that matches `start`.
    Any,
}

/// Retention by the unit of the beginning.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RetentionBody)]
pub(crate) struct Body {
    /// Every unit that the range touches, in order, each counted whole.
    cohorts: Vec<Row>,
}

/// Those who began in one unit.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RetentionCohort)]
pub(crate) struct Row {
    /// The first day of the unit, in the time zone of the report.
    start: NaiveDate,
    /// How many actors began in it.
    size: u64,
    /// How many of them came back in the same unit, in the next one, and so on; units that begin at the end of the range or
    /// later are left out.
    retained: Vec<u64>,
}

/// What is asked, ready to be computed.
struct RetentionQuestion {
    units: Units,
    cohort: Cohort,
    start: Matching,
    returning: Matching,
    /// Whether both match the same activities.
    is_same: bool,
}

impl Parameters {
    async fn question(self, query: &Query) -> Result<RetentionQuestion, ReportsError> {
        let unit = self.unit.unwrap_or_default();
        let units = Units::new(unit, &query.range, 0, UNITS_MAX).ok_or_else(|| {
            let detail = format!("gives more than {UNITS_MAX}: ask for a longer one, or for a shorter range");
            ReportsError::parameter("unit", detail)
        })?;
        let start = filter_of_text("start", self.start.as_deref())?;
        let returning = filter_of_text("return", self.returning.as_deref())?;
        Ok(RetentionQuestion {
            units,
            cohort: self.cohort.unwrap_or_default(),
            is_same: start == returning,
            start: Matching::resolve(&start, &query.view).await?,
            returning: Matching::resolve(&returning, &query.view).await?,
        })
    }
}

pub(crate) async fn answer(parameters: Parameters, query: &Query) -> Result<Body, ReportsError> {
    compute(query, parameters.question(query).await?).await
}

/// `START`, those who began in the unit of this day, or `START,K`, those of them who came back in the k-th unit after: the
/// activities whose distinct actors are the number.
pub(crate) async fn explain(
    parameters: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    behind(query, parameters.question(query).await?, cell).await
}

async fn compute(source: &impl Source, question: RetentionQuestion) -> Result<Body, ReportsError> {
    let dates = question.units.dates.clone();
    let counts = Cohorts::scan(source, question).await?.count(source).await?;
    let row = |(start, (size, retained))| Row { start, size, retained };
    Ok(Body { cohorts: dates.into_iter().zip(counts).map(row).collect() })
}

async fn behind(
    source: &impl Source,
    question: RetentionQuestion,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let unknown = || {
        ReportsError::parameter(
            "explain",
            "must be a cohort of the report, alone or as 2026-03-01,2".to_owned(),
        )
    };
    let (date, later) = match cell.split_once(',') {
        None => (cell, None),
        Some((date, later)) => (date, Some(later.parse::<usize>().map_err(|_| unknown())?)),
    };
    let date: NaiveDate = date.parse().map_err(|_| unknown())?;
    let cohort = question.units.find(date).ok_or_else(unknown)?;
    let unit = cohort.saturating_add(later.unwrap_or(0));
    if unit >= question.units.len() {
        return Err(unknown());
    }
    let window = question.units.window(unit);
    let cohorts = Cohorts::scan(source, question).await?;
    let (needs, chosen) = cohorts.into_members(cohort, later.is_none());
    rows_where(source, window, needs, chosen).await
}

#[cfg(test)]
mod tests;
