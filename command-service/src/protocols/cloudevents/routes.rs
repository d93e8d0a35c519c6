use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use chassis::{BodyProblems, CallerProblems, ServerProblems};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::ingest::ingest;
use super::super::results::MessagesRecorded;
use super::CloudEvents;
use crate::state::AppState;

/// An event in the structured form. Other attributes become `context`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct CloudEvent {
    /// `1.0`.
    specversion: String,
    /// The event's id; with `source` it is the idempotency key.
    id: String,
    /// Where it comes from.
    source: String,
    /// What was done: the activity's type.
    #[schema(rename = "type")]
    event_type: String,
    /// Who did it; without it `source` is the actor.
    subject: Option<String>,
    /// When it happened; the time of receipt if not given.
    time: Option<String>,
    /// The properties, if it is an object; else the property `data`.
    #[schema(value_type = Option<Object>)]
    data: Option<serde_json::Value>,
}

/// CloudEvents
///
/// In the structured form (`application/cloudevents+json`), several of them (`application/cloudevents-batch+json`), or in
/// the binary form, with the attributes as headers `ce-…` and the data as the body.
#[utoipa::path(
    post, path = "/v1/cloudevents", tag = "clients",
    request_body(content = CloudEvent, content_type = "application/cloudevents+json", example = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "subject": "ada", "data": {"plan": "pro"}
    })),
    responses(
        (status = 202, description = "Recorded, and durable.", body = MessagesRecorded),
        BodyProblems, CallerProblems, ServerProblems,
    ),
    security(("token" = []), ("basic" = [])),
)]
async fn cloudevents(State(state): State<AppState>, request: Request) -> Response {
    ingest::<CloudEvents>(state, request).await
}

/// The address that is documented.
pub(in super::super) fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(cloudevents))
}

/// The same with a slash at the end.
pub(in super::super) fn aliases() -> Router<AppState> {
    Router::new().route("/v1/cloudevents/", post(cloudevents))
}
