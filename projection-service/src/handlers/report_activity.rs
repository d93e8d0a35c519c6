use access::Caller;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use chassis::{CallerProblems, ServerProblems};
use chrono::{DateTime, Utc};
use domain::token::Scope;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::answers::QueryProblems;
use crate::calendar::{self, Interval};
use crate::error::ReportsError;
use crate::projections::{Activity, Projection};
use crate::queries::activity::{ActivityReport, Measure, NUMBERS_MAX, Question};
use crate::queries::{Range, Snapshot, zone};
use crate::state::AppState;

/// What is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// From when on, inclusive; rounded down to the minute. By default the start of the day 29 days before `to`.
    from: Option<DateTime<Utc>>,
    /// Until when, exclusive; rounded up to the minute. By default now.
    to: Option<DateTime<Utc>>,
    /// IANA name of the zone in which hours, days, weeks and months begin; by default the customer's own.
    #[param(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// How long a bucket is; by default a day. A week begins on Monday.
    #[param(inline)]
    interval: Option<Interval>,
    /// What is told of each bucket: by default how many activities; or the sum or mean of their values.
    #[param(inline)]
    measure: Option<MeasureName>,
    /// By what the buckets are divided: `type`.
    #[param(example = "type")]
    group_by: Option<String>,
    /// Only activities of this type.
    #[serde(rename = "type")]
    activity_type: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MeasureName {
    Count,
    Actors,
    Sum,
    Mean,
}

impl Parameters {
    fn question(self, own_zone: chrono_tz::Tz, now: DateTime<Utc>) -> Result<Question, ReportsError> {
        let range = Range::new(self.from, self.to, zone(self.time_zone.as_deref(), own_zone)?, now)?;
        let measure = match self.measure.unwrap_or(MeasureName::Count) {
            MeasureName::Count => Measure::Count,
            MeasureName::Sum => Measure::Sum,
            MeasureName::Mean => Measure::Mean,
            MeasureName::Actors => {
                return Err(ReportsError::parameter("measure", "cannot be actors yet: it is not available"));
            }
        };
        let by_type = match self.group_by.as_deref() {
            None => false,
            Some("type") => true,
            Some(_) => {
                return Err(ReportsError::parameter(
                    "group_by",
                    "can only be type: nothing else is available yet",
                ));
            }
        };
        let interval = self.interval.unwrap_or(Interval::Day);
        let starts =
            calendar::starts(interval, range.zone, range.from, range.to, NUMBERS_MAX).ok_or_else(|| {
                let detail = format!(
                    "gives more than {NUMBERS_MAX} buckets: ask for a longer one, or for a shorter range"
                );
                ReportsError::parameter("interval", detail)
            })?;
        Ok(Question { range, interval, measure, by_type, activity_type: self.activity_type, starts })
    }
}

/// Activity over time
///
/// How many activities there were, or the sum or mean of their values, in every bucket of the range. An activity counts
/// when it happened, whenever it was recorded; a correction moves it and a redaction takes it out.
#[utoipa::path(
    get, path = "/v1/reports/activity", tag = "reports", security(("token" = []), ("basic" = []), ("session" = [])),
    params(Parameters, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the answer that is known.")),
    responses(
        (status = 200, description = "The report.", body = ActivityReport,
         headers(("ETag" = String, description = "Names what the answer shows."))),
        (status = 304, description = "The answer shows what the client knows already."),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn report_activity(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, ReportsError> {
    let principal = caller.require(Scope::Read)?;
    let Query(parameters) =
        parameters.map_err(|rejection| ReportsError::InvalidQuery(rejection.body_text()))?;
    let question = parameters.question(principal.time_zone, Utc::now())?;
    let snapshot = Snapshot::begin(&state, Activity::NAME, principal.customer_id).await?;
    let tag = snapshot.tag(&question);
    if tag.is_known(&headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.answer(snapshot.activity(&question).await?))
}
