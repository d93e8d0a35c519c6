//! Funnel: how many actors go through steps, one after the other, within a time.

mod attempts;
mod results;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::attempts::Steps;
use self::results::{FirstPositionsAt, Results};
use super::durations;
use super::matching::Matching;
use super::query::Query;
use super::source::{FirstPositions, Source, rows_where};
use super::steps::{Step, filter_of_text};
use super::units::window;
use crate::columns::Needs;
use crate::error::ReportsError;
use crate::view::StandingRow;

const STEPS_MIN: usize = 2;
/// The most steps of a funnel.
pub(super) const STEPS_MAX: usize = 10;
const WITHIN_DEFAULT: Duration = Duration::from_hours(168);
const WITHIN_MAX: Duration = Duration::from_hours(8784);

/// What is asked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// A step: a type, a JSON array of filters, or an object with `type`, `filters` and `optional`, as
    /// `{"type":"cart.opened","optional":true}`. Repeated, in order: 2 to 10. An attempt goes on without an optional step
    /// where no later activity matches it in time. A type that begins with a bracket or a brace is written as an object.
    #[param(example = json!(["product.viewed", "order.placed"]))]
    step: Vec<String>,
    /// How long after its beginning an attempt may go on; by default `7d`, at most `366d`.
    #[param(example = "7d")]
    within: Option<String>,
    /// What ends an attempt when it comes between two steps: a type, or a JSON array of filters. May be repeated; any of
    /// them ends it.
    #[serde(default)]
    exclude: Vec<String>,
}

/// The steps of the funnel.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = FunnelBody)]
pub(crate) struct Body {
    /// In the order in which they were asked for.
    steps: Vec<StepNumbers>,
}

/// How many came so far.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = FunnelStep)]
pub(crate) struct StepNumbers {
    /// The type that was asked for; none where the step is filters.
    #[serde(rename = "type")]
    #[schema(required)]
    activity_type: Option<String>,
    /// How many actors took it in the attempt of theirs that reached furthest.
    actors: u64,
    /// As a part of the actors of the first step; none where that has none.
    #[schema(required)]
    conversion: Option<f64>,
    /// As a part of the actors of the step before, for the first step of itself; none where that has none.
    #[schema(required)]
    conversion_from_previous: Option<f64>,
    /// The median of the seconds from the step taken before; none for the first step, and where nobody took it.
    #[schema(required)]
    median_s: Option<f64>,
    /// The 90th percentile of these seconds.
    #[schema(required)]
    p90_s: Option<f64>,
}

/// What is asked, ready to be computed.
struct FunnelQuestion {
    types: Vec<Option<String>>,
    steps: Steps,
    matching: Vec<Matching>,
    exclude: Vec<Matching>,
}

impl Parameters {
    async fn question(self, query: &Query) -> Result<FunnelQuestion, ReportsError> {
        let steps: Vec<Step> =
            self.step.iter().map(|text| Step::parse("step", text)).collect::<Result<_, _>>()?;
        if !(STEPS_MIN..=STEPS_MAX).contains(&steps.len()) {
            let detail = format!("must be given {STEPS_MIN} to {STEPS_MAX} times");
            return Err(ReportsError::parameter("step", detail));
        }
        if steps[0].is_optional {
            return Err(ReportsError::parameter("step", "cannot be optional where it is the first one"));
        }
        if self.exclude.len() > STEPS_MAX {
            return Err(ReportsError::parameter(
                "exclude",
                format!("may be given at most {STEPS_MAX} times"),
            ));
        }
        let within = self
            .within
            .as_deref()
            .map_or(Ok(WITHIN_DEFAULT), |text| durations::parse("within", text, WITHIN_MAX))?;
        let mut matching = Vec::with_capacity(steps.len());
        for step in &steps {
            matching.push(Matching::resolve(&step.filter, &query.view).await?);
        }
        let mut exclude = Vec::with_capacity(self.exclude.len());
        for text in &self.exclude {
            let filter = filter_of_text("exclude", Some(text))?;
            exclude.push(Matching::resolve(&filter, &query.view).await?);
        }
        Ok(FunnelQuestion {
            steps: Steps::new(
                window(&query.range),
                durations::micros(within),
                steps.iter().map(|step| step.is_optional).collect(),
            ),
            types: steps.into_iter().map(|step| step.activity_type).collect(),
            matching,
            exclude,
        })
    }
}

pub(crate) async fn answer(parameters: Parameters, query: &Query) -> Result<Body, ReportsError> {
    compute(query, parameters.question(query).await?).await
}

/// A step's number, from 1: the activity with which each actor took it.
pub(crate) async fn explain(
    parameters: Parameters,
    query: &Query,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    behind(query, parameters.question(query).await?, cell).await
}

async fn compute(source: &impl Source, question: FunnelQuestion) -> Result<Body, ReportsError> {
    let types = question.types.clone();
    let results = attempts::results(source, question, Results::new(types.len())).await?;
    Ok(results.body(types))
}

async fn behind(
    source: &impl Source,
    question: FunnelQuestion,
    cell: &str,
) -> Result<Vec<StandingRow>, ReportsError> {
    let step = cell.parse::<usize>().ok().filter(|step| (1..=question.types.len()).contains(step));
    let step =
        step.ok_or_else(|| ReportsError::parameter("explain", "must be the number of a step, from 1"))?;
    let window = question.steps.window();
    let at = attempts::results(source, question, FirstPositionsAt::new(step - 1)).await?;
    rows_where(source, window, Needs::default(), FirstPositions::new(at.positions)).await
}

#[cfg(test)]
mod tests;
