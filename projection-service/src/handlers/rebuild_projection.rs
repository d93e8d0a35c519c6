use access::Caller;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chassis::{CallerProblems, Problem, ServerProblems};
use domain::token::Scope;
use http::StatusCode;
use http::header::LOCATION;
use utoipa::IntoResponses;

use crate::error::ReportsError;
use crate::rebuild::{RebuildJob, latest, request};
use crate::state::AppState;
use crate::store;

/// Why there is no rebuild.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum RebuildProblems {
    /// There is no such projection, or nobody has asked for a rebuild of it.
    #[response(status = 404)]
    NotFound(Problem),
}

/// Rebuild a projection
///
/// Folds the whole log anew beside what is live, which the result replaces in one moment. It goes on in the background,
/// also after a restart; one that is under way is not begun a second time. `Location` says where to read how far it is.
#[utoipa::path(
    post, path = "/v1/projections/{name}/rebuild", tag = "operations",
    params(("name" = String, Path, description = "The projection.")),
    responses(
        (status = 202, description = "It will be done.", body = RebuildJob),
        RebuildProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn rebuild_projection(
    State(state): State<AppState>,
    caller: Caller,
    name: Result<Path<String>, PathRejection>,
) -> Result<(StatusCode, [(http::HeaderName, String); 1], Json<RebuildJob>), ReportsError> {
    caller.require(Scope::Admin)?;
    check(name)?;
    let job = request(&state.pool).await?;
    let location = format!("/v1/projections/{}/rebuild", store::NAME);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(job)))
}

/// How far a rebuild is
///
/// The one that was asked for last.
#[utoipa::path(
    get, path = "/v1/projections/{name}/rebuild", tag = "operations",
    params(("name" = String, Path, description = "The projection.")),
    responses(
        (status = 200, description = "The rebuild.", body = RebuildJob),
        RebuildProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn get_rebuild(
    State(state): State<AppState>,
    caller: Caller,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<RebuildJob>, ReportsError> {
    caller.require(Scope::Admin)?;
    check(name)?;
    let job = latest(&state.pool).await?;
    Ok(Json(job.ok_or_else(|| ReportsError::Caller(Problem::not_found("rebuild-not-found")))?))
}

/// Refuses every name but that of the one read model, also the names that it had before.
fn check(name: Result<Path<String>, PathRejection>) -> Result<(), ReportsError> {
    match name {
        Ok(Path(name)) if name == store::NAME => Ok(()),
        _ => Err(ReportsError::Caller(Problem::not_found("projection-not-found"))),
    }
}
