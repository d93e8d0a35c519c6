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
use crate::projections::{Feed, Projection};
use crate::queries::Snapshot;
use crate::queries::feed::{ActivityPage, Cursor, Question};
use crate::state::AppState;

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;

/// Which page of which activities.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Only activities of this type.
    #[serde(rename = "type")]
    activity_type: Option<String>,
    /// Only activities of this actor.
    actor: Option<String>,
    /// Only what happened then or later.
    from: Option<DateTime<Utc>>,
    /// Only what happened before then.
    to: Option<DateTime<Utc>>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
}

impl Parameters {
    fn question(self) -> Result<Question, ReportsError> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(ReportsError::InvalidQuery(format!("limit must be 1 to {LIMIT_MAX}")));
        }
        let invalid = || ReportsError::InvalidQuery("cursor must be the next_cursor of a page".to_owned());
        let before = self.cursor.map(|cursor| Cursor::parse(&cursor).ok_or_else(invalid)).transpose()?;
        let Self { activity_type, actor, from, to, .. } = self;
        Ok(Question { activity_type, actor, from, to, before, limit })
    }
}

/// List activities
///
/// Activities as they now stand, the newest first by the time at which they happened.
#[utoipa::path(
    get, path = "/v1/activities", tag = "activities", security(("token" = []), ("basic" = []), ("session" = [])),
    params(Parameters, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the answer that is known.")),
    responses(
        (status = 200, description = "A page.", body = ActivityPage,
         headers(("ETag" = String, description = "Names what the answer shows."))),
        (status = 304, description = "The answer shows what the client knows already."),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_activities(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, ReportsError> {
    let principal = caller.require(Scope::Read)?;
    let Query(parameters) =
        parameters.map_err(|rejection| ReportsError::InvalidQuery(rejection.body_text()))?;
    let question = parameters.question()?;
    let snapshot = Snapshot::begin(&state, Feed::NAME, principal.customer_id).await?;
    let tag = snapshot.tag(&question);
    if tag.is_known(&headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.answer(snapshot.feed(&question).await?))
}
