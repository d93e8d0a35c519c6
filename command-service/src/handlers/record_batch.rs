use access::{Cause, for_browsers};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chassis::{BodyProblems, CallerProblems, ServerProblems, read_body};
use chrono::Utc;
use http::StatusCode;
use utoipa::ToSchema;

use crate::batch::{BODY_SMALL_BYTES, Batch, BatchRecorded};
use crate::error::ActivitiesError;
use crate::rejections::{Rejection, RejectionSource};
use crate::state::AppState;

/// Its name in the list of rejections.
const NATIVE: &str = "native";

/// Activities to be recorded together.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct NewBatch {
    /// 1 to 1,000 of them.
    #[schema(min_items = 1, max_items = 1000)]
    activities: Vec<super::record_activity::NewActivity>,
}

/// Record a batch of activities
///
/// Valid items are durable when this returns even if others are rejected; each rejected item says why.
#[utoipa::path(
    post, path = "/v1/activities/batch", tag = "activities",
    request_body(content = NewBatch, example = json!({"activities": [
        {"type": "page.viewed", "actor": "ada", "properties": {"page": "/pricing"}},
        {"type": "order.paid", "actor": "ada", "value": 42.5}
    ]})),
    responses(
        (status = 202, description = "What became of each item.", body = BatchRecorded),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn record_batch(State(state): State<AppState>, request: Request) -> Response {
    for_browsers(request, |request| record(state, request)).await
}

async fn record(state: AppState, request: Request) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = state.access.recorder(request.headers(), request.extensions()).await?;
    let Ok(_place) = state.batches.try_acquire() else { return Err(ActivitiesError::Overloaded) };
    let cause = Cause::request(request.headers(), principal.subject).to_json();
    let source = RejectionSource::new(&principal, NATIVE, request.headers());
    let body = read_body(request, state.limits.batch_body()).await?;
    let Batch { good, rejected } = read(body).await?;
    let (places, activities): (Vec<usize>, Vec<_>) = good.into_iter().unzip();
    let outcomes = state.recorder.record(principal.customer_id, activities, &cause).await?;
    let summary = BatchRecorded::of(&places, &outcomes, rejected);
    state.rejections.note(&source, summary.rejected.iter().map(Rejection::of_item));
    let summary = summary.or_all_rejected()?;
    metrics::counter!("daybook_activities_rejected_total").increment(summary.rejected.len() as u64);
    Ok((StatusCode::ACCEPTED, Json(summary)))
}

async fn read(body: Bytes) -> Result<Batch, ActivitiesError> {
    if body.len() <= BODY_SMALL_BYTES {
        return Batch::read(&body, Utc::now());
    }
    let reading = tokio::task::spawn_blocking(move || Batch::read(&body, Utc::now()));
    reading.await.map_err(|error| ActivitiesError::Internal(error.to_string()))?
}
