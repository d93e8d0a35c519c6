//! Active users: how many different actors were active on each day, and in the week and the month that end with it.

mod windows;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::actor_set::ActorSet;
use super::query::{Query, TimeRange};
use super::source::{EveryRow, Source, rows_where};
use super::units::{Unit, Units};
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::{Scan, StandingRow};

/// The most days of one report.
const DAYS_MAX: usize = 400;
const WEEK_DAYS: usize = 7;
const MONTH_DAYS: usize = 30;

/// Nothing but what every report is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {}

/// Active users by day.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ActiveUsersBody)]
pub(crate) struct Body {
    /// Every day that the range touches, each counted whole.
    days: Vec<Day>,
}

/// One day.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ActiveUsersDay)]
pub(crate) struct Day {
    /// The day, in the time zone of the report.
    date: NaiveDate,
    /// How many actors were active on it.
    daily: u64,
    /// How many were active on it or on one of the 6 days before.
    weekly: u64,
    /// How many were active on it or on one of the 29 days before.
    monthly: u64,
    /// `daily` as a part of `monthly`; none where that is 0.
    #[schema(required)]
    stickiness: Option<f64>,
}

pub(crate) async fn answer(_: Parameters, query: &Query) -> Result<Body, ReportsError> {
    compute(query, &query.range).await
}

/// `DATE`, or `DATE,daily`, `DATE,weekly` or `DATE,monthly`: the activities whose distinct actors are the number.
pub(crate) async fn explain(
    _: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    behind(query, &query.range, cell).await
}

async fn compute(source: &impl Source, range: &TimeRange) -> Result<Body, ReportsError> {
    let days = days(range)?;
    let window = days.starts[0]..days.starts[days.len()];
    let needs = Needs { actors: true, ..Needs::default() };
    let (scan, partials) = source.scan(window, &needs, ActorsByDay { starts: days.starts }).await?;
    let mut partials = partials.into_iter();
    let mut actors = partials.next().unwrap_or_else(|| scan.begin());
    for partial in partials {
        actors.iter_mut().zip(partial).for_each(|(day, other)| day.merge(other));
    }
    let counts = count(source, actors).await?;
    let body = days.dates.into_iter().zip(counts).skip(MONTH_DAYS - 1).map(|(date, counts)| {
        let [daily, weekly, monthly] = counts;
        Day { date, daily, weekly, monthly, stickiness: (monthly > 0).then(|| daily as f64 / monthly as f64) }
    });
    Ok(Body { days: body.collect() })
}

/// The days of the report, and the 29 before them.
fn days(range: &TimeRange) -> Result<Units, ReportsError> {
    Units::new(Unit::Day, range, MONTH_DAYS as u32 - 1, DAYS_MAX)
        .ok_or_else(|| ReportsError::parameter("from", format!("must be at most {DAYS_MAX} days before to")))
}

/// For each day how many actors it has, with the 6 days before it and with the 29 before it.
async fn count(source: &impl Source, days: Vec<ActorSet>) -> Result<Vec<[u64; 3]>, ReportsError> {
    let blocks = days.iter().map(ActorSet::blocks).max().unwrap_or(0);
    let length = days.len();
    let threads = source
        .fold_parts(
            (0..blocks).collect(),
            move || vec![[0; 3]; length],
            move |counts, block| windows::count(&days, block, counts),
        )
        .await?;
    let mut total = vec![[0; 3]; length];
    for counts in threads {
        for (total, counts) in total.iter_mut().zip(counts) {
            total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
        }
    }
    Ok(total)
}

struct ActorsByDay {
    starts: Vec<i64>,
}

impl Scan for ActorsByDay {
    type Partial = Vec<ActorSet>;

    fn begin(&self) -> Self::Partial {
        vec![ActorSet::default(); self.starts.len() - 1]
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        for (day, actors) in self.starts.windows(2).zip(partial) {
            rows.each_of(rows.between(day[0], day[1]), |row| actors.insert(rows.actors[row]));
        }
    }
}

async fn behind(
    source: &impl Source,
    range: &TimeRange,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let unknown = || {
        ReportsError::parameter(
            "explain",
            "must be a day of the report, alone or as 2026-03-01,weekly".to_owned(),
        )
    };
    let (date, number) = cell.split_once(',').unwrap_or((cell, "daily"));
    let length = match number {
        "daily" => 1,
        "weekly" => WEEK_DAYS,
        "monthly" => MONTH_DAYS,
        _ => return Err(unknown()),
    };
    let days = days(range)?;
    let date: NaiveDate = date.parse().map_err(|_| unknown())?;
    let last = days.find(date).filter(|day| *day >= MONTH_DAYS - 1).ok_or_else(unknown)?;
    let window = days.starts[last + 1 - length]..days.starts[last + 1];
    rows_where(source, window, Needs::default(), EveryRow).await
}

#[cfg(test)]
mod tests;
