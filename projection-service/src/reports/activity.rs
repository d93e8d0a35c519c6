//! Activity over time: a measure in every bucket of a range, in groups if asked for.

mod cells;
mod every_group;
mod question;
mod tally;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::cells::{Cells, Sizes};
use self::every_group::EveryGroup;
use self::question::ActivityQuestion;
use self::tally::{Actors, Count, Extreme, Mean, Quantile, Sum, Tally};
use super::groups::{ByGroup, Group, Name, Named, Places, largest};
use super::query::Query;
use super::source::{RowTest, rows_where};
use crate::calendar::Interval;
use crate::columns::Rows;
use crate::error::ReportsError;
use crate::view::StandingRow;

pub(super) use self::cells::each_bucket;
pub(crate) use self::question::field;
pub(crate) use self::tally::Number;

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// How long a bucket is; by default a day. A report has at most 10,000 buckets.
    #[param(inline)]
    interval: Option<Interval>,
    /// The measure of each bucket; by default the number of activities.
    #[param(inline)]
    measure: Option<Measure>,
    /// By what the buckets are divided: `type`, `actor`, `value`, `properties.KEY`, `context.KEY` or `traits.KEY`. May be
    /// repeated once, for the pairs of two fields.
    #[serde(default)]
    #[param(example = json!(["properties.plan"]))]
    group_by: Vec<String>,
    /// How many groups have a line of their own, the largest over the whole range; the rest is one more. Fewer where there
    /// would be more than 50,000 numbers.
    #[param(minimum = 1, maximum = 1000, default = 20)]
    groups: Option<usize>,
}

/// The number that is computed for a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// How many activities.
    #[default]
    Count,
    /// How many different actors.
    Actors,
    /// The sum of the values of activities that have one.
    Sum,
    /// Their mean; 0 where there is none.
    Mean,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
    /// The least of them that half of them do not exceed.
    P50,
    P90,
    P99,
}

impl Measure {
    fn percent(self) -> u64 {
        match self {
            Self::P90 => 90,
            Self::P99 => 99,
            _ => 50,
        }
    }
}

/// Activity over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityBody)]
pub(crate) struct Body {
    /// The measure over the whole range, whatever the groups.
    #[schema(value_type = Option<f64>, required)]
    total: Number,
    /// Every bucket, the empty ones too; with `group_by`, every group in each, the largest first and the rest last.
    series: Vec<Bucket>,
}

/// One number of the report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityBucket)]
pub(crate) struct Bucket {
    /// When it begins. The first one may begin before `from`, and has only what lies after it.
    #[serde(rename = "bucket")]
    start: DateTime<Utc>,
    /// The value of the field, null if there is none; an array of two with two fields. Only with `group_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    group: Option<Name>,
    /// Whether it is everything that is in no group of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    other: Option<bool>,
    /// The measure; null where there is nothing to compute it from.
    #[schema(value_type = Option<f64>, required)]
    count: Number,
}

/// Computes the report.
///
/// # Errors
/// 422 for what cannot be asked; as [`Query::scan`].
pub(crate) async fn answer(parameters: Parameters, query: &Query) -> Result<Body, ReportsError> {
    let question = ActivityQuestion::new(&parameters, &query.range)?;
    match question.measure {
        Measure::Count => compute::<Count>(question, query).await,
        Measure::Actors => compute::<Actors>(question, query).await,
        Measure::Sum => compute::<Sum>(question, query).await,
        Measure::Mean => compute::<Mean>(question, query).await,
        Measure::Min => compute::<Extreme<false>>(question, query).await,
        Measure::Max => compute::<Extreme<true>>(question, query).await,
        Measure::P50 | Measure::P90 | Measure::P99 => compute::<Quantile>(question, query).await,
    }
}

/// `BUCKET`, `BUCKET,GROUP` or `BUCKET,other`: the activities in a bucket.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn explain(
    parameters: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let question = ActivityQuestion::new(&parameters, &query.range)?;
    let (bucket, group) = cell.split_once(',').map_or((cell, None), |(bucket, group)| (bucket, Some(group)));
    let window = question.window(bucket, &query.range)?;
    let lines = lines(&question, query).await?;
    let line =
        match group {
            None if !question.is_grouped() => None,
            None => {
                return Err(ReportsError::parameter(
                    "explain",
                    "needs a group after the bucket, as BUCKET,\"pro\"",
                ));
            }
            Some("other") => Some(lines.own.len()),
            Some(text) => {
                let name = Name::parse(text);
                let meant = lines.own.iter().position(|named| named.name == name);
                Some(meant.ok_or_else(|| {
                    ReportsError::parameter("explain", "names a group that the report has not")
                })?)
            }
        };
    let (grouping, needs) = question.grouping();
    let places = Places::new(&lines.own);
    let choose = InLine { grouping, places, line: line.map(|line| line as u32) };
    rows_where(query, window, needs, choose).await
}

/// The groups that have a line of their own, and whether there are others.
struct Lines {
    own: Vec<Named>,
    has_others: bool,
}

async fn lines(question: &ActivityQuestion, query: &Query) -> Result<Lines, ReportsError> {
    match question.measure {
        _ if !question.is_grouped() => Ok(Lines { own: Vec::new(), has_others: true }),
        Measure::Count => largest_lines::<Count>(question, query).await,
        Measure::Actors => largest_lines::<Actors>(question, query).await,
        Measure::Sum => largest_lines::<Sum>(question, query).await,
        Measure::Mean => largest_lines::<Mean>(question, query).await,
        Measure::Min => largest_lines::<Extreme<false>>(question, query).await,
        Measure::Max => largest_lines::<Extreme<true>>(question, query).await,
        Measure::P50 | Measure::P90 | Measure::P99 => largest_lines::<Quantile>(question, query).await,
    }
}

async fn largest_lines<T: Tally>(question: &ActivityQuestion, query: &Query) -> Result<Lines, ReportsError> {
    let (grouping, needs) = question.grouping();
    let (_, partials) = query.scan(query.range.window(), &needs, Sizes::<T>::new(grouping)).await?;
    let mut all = ByGroup::<T>::default();
    for partial in partials {
        all.merge(partial, Tally::merge);
    }
    let percent = question.measure.percent();
    let sized: Vec<_> =
        all.into_groups().into_iter().map(|(group, mut tally)| (group, tally.number(percent))).collect();
    lines_of(question, query, sized).await
}

/// Chooses the largest of groups of which each has its measure.
async fn lines_of(
    question: &ActivityQuestion,
    query: &Query,
    sized: Vec<(Group, Number)>,
) -> Result<Lines, ReportsError> {
    let has_others = sized.len() > question.groups;
    let own = largest(&query.view, sized, question.groups, |one, other| one.larger_first(*other)).await?;
    Ok(Lines { own, has_others })
}

async fn compute<T: Tally>(question: ActivityQuestion, query: &Query) -> Result<Body, ReportsError> {
    let in_one_scan = question.is_grouped() && T::IS_SMALL;
    if in_one_scan && let Some(body) = compute_in_one_scan::<T>(&question, query).await? {
        return Ok(body);
    }
    let lines = if question.is_grouped() {
        largest_lines::<T>(&question, query).await?
    } else {
        Lines { own: Vec::new(), has_others: true }
    };
    let (grouping, needs) = question.grouping();
    let cells = Cells::<T>::new(grouping, Places::new(&lines.own), &question.starts);
    let (cells, partials) = query.scan(query.range.window(), &needs, cells).await?;
    Ok(body(&question, &lines, cells.merge(partials)))
}

/// None if there are too many groups for it.
async fn compute_in_one_scan<T: Tally>(
    question: &ActivityQuestion,
    query: &Query,
) -> Result<Option<Body>, ReportsError> {
    let (grouping, needs) = question.grouping();
    let scan = EveryGroup::<T>::new(grouping, &question.starts);
    let (scan, partials) = query.scan(query.range.window(), &needs, scan).await?;
    let Some(groups) = scan.merge(partials) else { return Ok(None) };
    let sized = groups.iter().map(|(group, buckets)| (group.clone(), size(question, buckets))).collect();
    let lines = lines_of(question, query, sized).await?;
    let (places, width) = (Places::new(&lines.own), lines.own.len() + 1);
    let mut cells = vec![T::default(); question.starts.len() * width];
    for (group, buckets) in groups {
        let place = places.of(&group) as usize;
        let own = cells.iter_mut().skip(place).step_by(width);
        own.zip(buckets).for_each(|(cell, tally)| cell.merge(tally));
    }
    Ok(Some(body(question, &lines, cells)))
}

/// The measure of all buckets together.
fn size<T: Tally>(question: &ActivityQuestion, buckets: &[T]) -> Number {
    let mut all = T::default();
    for bucket in buckets {
        all.merge(bucket.clone());
    }
    all.number(question.measure.percent())
}

/// Writes the report out of its cells, bucket by bucket.
fn body<T: Tally>(question: &ActivityQuestion, lines: &Lines, mut cells: Vec<T>) -> Body {
    let percent = question.measure.percent();
    let width = lines.own.len() + 1;
    let mut series = Vec::with_capacity(cells.len());
    for (start, cells) in question.starts.iter().zip(cells.chunks_mut(width)) {
        let names = lines.own.iter().map(|named| Some(named.name.clone())).chain([None]);
        for (group, cell) in names.zip(cells) {
            let is_rest = group.is_none();
            if is_rest && !lines.has_others {
                continue;
            }
            let other = (is_rest && question.is_grouped()).then_some(true);
            series.push(Bucket { start: *start, group, other, count: cell.number(percent) });
        }
    }
    let mut total = T::default();
    for cell in cells {
        total.merge(cell);
    }
    Body { total: total.number(percent), series }
}

/// Chooses the rows of one line.
struct InLine {
    grouping: super::groups::Grouping,
    places: Places,
    /// None without groups.
    line: Option<u32>,
}

impl RowTest for InLine {
    fn choose(&self, rows: &Rows<'_>, take: impl FnMut(usize)) {
        let Some(line) = self.line else { return rows.each(take) };
        self.places.choose(&self.grouping, rows, line, take);
    }
}
