use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use chassis::{CallerProblems, ServerProblems};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::documents::SentProblems;
use super::super::ingest::ingest;
use super::settings::{
    __path_posthog_flags, __path_posthog_settings, posthog_flags, posthog_settings, posthog_settings_script,
};
use super::{PostHogAnswer, PostHogCapture, PostHogEvents, PostHogResults};
use crate::state::AppState;

/// An event of PostHog's, as far as it is recorded; other fields are passed over.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct PostHogEvent {
    /// The idempotency key.
    uuid: Option<String>,
    /// What was done: the activity's type.
    event: String,
    /// Who did it; may stand in `properties` instead.
    distinct_id: Option<String>,
    /// When it happened; the time of receipt if not given.
    timestamp: Option<String>,
    /// At most 32 KiB, at most 8 deep. `value`, or `revenue`, becomes the activity's value if it is a number.
    #[schema(value_type = Option<Object>)]
    properties: Option<serde_json::Value>,
}

/// Events with the key beside them. One event may stand here itself instead of `batch`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct PostHogBatch {
    /// The token, unless `Authorization` has it.
    api_key: Option<String>,
    /// When the client sent it, by its own clock. If that is wrong by a minute or more, timestamps are corrected by as much.
    sent_at: Option<String>,
    /// At most 10,000.
    batch: Vec<PostHogEvent>,
}

/// Events; the key is in `Authorization`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct PostHogEventBatch {
    /// At most 10,000.
    batch: Vec<PostHogEvent>,
}

macro_rules! capture {
    ($(#[$doc:meta])* $name:ident at $path:literal) => {
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "clients",
            request_body(content = PostHogBatch, example = json!({"batch": [
                {"event": "Order Completed", "distinct_id": "ada", "properties": {"revenue": 42.5}}
            ]})),
            responses(
                (status = 200, description = "Recorded, and durable.", body = PostHogAnswer),
                SentProblems, CallerProblems, ServerProblems,
            ),
            security(("token" = []), ("basic" = [])),
        )]
        async fn $name(State(state): State<AppState>, request: Request) -> Response {
            ingest::<PostHogCapture>(state, request).await
        }
    };
}

capture! {
    /// PostHog: a batch
    ///
    /// What PostHog's server libraries send. Valid events are recorded even if others are rejected. The token is `api_key`.
    posthog_batch at "/batch/"
}
capture! {
    /// PostHog: an event
    ///
    /// An event, a list of events, or a batch.
    posthog_capture at "/capture/"
}
capture! {
    /// PostHog: events of a browser
    ///
    /// What `posthog-js` sends: as JSON, as gzip, or as base64 in a form.
    posthog_browser at "/e/"
}

/// PostHog: events that are answered one by one
///
/// What PostHog's server libraries send with `POSTHOG_CAPTURE_MODE=v1`. Each event is answered by its `uuid`.
#[utoipa::path(
    post, path = "/i/v1/analytics/events", tag = "clients",
    request_body(content = PostHogEventBatch, example = json!({"batch": [
        {"event": "Order Completed", "distinct_id": "ada", "uuid": "0198c0de-0000-7000-8000-000000000001"}
    ]})),
    responses(
        (status = 200, description = "What became of each event.", body = PostHogResults),
        SentProblems, CallerProblems, ServerProblems,
    ),
    security(("token" = []), ("basic" = [])),
)]
async fn posthog_events(State(state): State<AppState>, request: Request) -> Response {
    ingest::<PostHogEvents>(state, request).await
}

/// The addresses that are documented.
pub(in super::super) fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(posthog_batch))
        .routes(routes!(posthog_capture))
        .routes(routes!(posthog_browser))
        .routes(routes!(posthog_events))
        .routes(routes!(posthog_flags))
        .routes(routes!(posthog_settings))
}

/// The same with and without a slash at the end, and those that older clients use.
pub(in super::super) fn aliases() -> Router<AppState> {
    Router::new()
        .route("/batch", post(posthog_batch))
        .route("/capture", post(posthog_capture))
        .route("/e", post(posthog_browser))
        .route("/i/v0/e", post(posthog_browser))
        .route("/i/v0/e/", post(posthog_browser))
        .route("/i/v1/analytics/events/", post(posthog_events))
        .route("/flags", post(posthog_flags))
        .route("/decide", post(posthog_flags))
        .route("/decide/", post(posthog_flags))
        .route("/array/{key}/config.js", get(posthog_settings_script))
}
