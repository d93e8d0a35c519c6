use access::Caller;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use chassis::{CallerProblems, ServerProblems};
use chrono::{DateTime, Utc};
use domain::token::Scope;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answers::QueryProblems;
use crate::error::ReportsError;
use crate::projections::{ActiveUsers, Projection};
use crate::queries::active_users::{ActiveUsersReport, days};
use crate::queries::{Range, Snapshot, zone};
use crate::state::AppState;

/// What is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// From when on, inclusive. By default the start of the day 29 days before `to`.
    from: Option<DateTime<Utc>>,
    /// Until when, exclusive. By default now.
    to: Option<DateTime<Utc>>,
    /// IANA name of the zone in which days begin; by default the customer's own.
    #[param(example = "Europe/Berlin")]
    time_zone: Option<String>,
}

/// Active users by day
///
/// How many different actors were active on each day that the range touches, in the week and in the 30 days that end with
/// it. Exact: an actor who comes every day counts once in a week.
#[utoipa::path(
    get, path = "/v1/reports/active-users", tag = "reports", security(("token" = []), ("basic" = []), ("session" = [])),
    params(Parameters, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the answer that is known.")),
    responses(
        (status = 200, description = "The report.", body = ActiveUsersReport,
         headers(("ETag" = String, description = "Names what the answer shows."))),
        (status = 304, description = "The answer shows what the client knows already."),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn report_active_users(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, ReportsError> {
    let principal = caller.require(Scope::Read)?;
    let Query(parameters) =
        parameters.map_err(|rejection| ReportsError::InvalidQuery(rejection.body_text()))?;
    let zone = zone(parameters.time_zone.as_deref(), principal.time_zone)?;
    let range = Range::new(parameters.from, parameters.to, zone, Utc::now())?;
    let days = days(&range)?;
    let snapshot = Snapshot::begin(&state, ActiveUsers::NAME, principal.customer_id).await?;
    let tag = snapshot.tag((zone, &days));
    if tag.is_known(&headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.answer(snapshot.active_users(&range, &days).await?))
}
