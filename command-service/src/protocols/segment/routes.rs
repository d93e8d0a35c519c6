use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chassis::{CallerProblems, Problem, ProblemPath, ServerProblems};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::documents::SentProblems;
use super::super::ingest::ingest;
use super::{SegmentAnswer, SegmentBatch, SegmentCall};
use crate::state::AppState;

/// A call of Segment's tracking API, as far as it is recorded; other fields are passed over.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct SegmentMessage {
    /// In a batch: `track`, `identify`, `page`, `screen`, `group` or `alias`.
    #[schema(rename = "type")]
    kind: Option<String>,
    /// The idempotency key.
    message_id: Option<String>,
    /// Who did it. Without it `anonymousId` is the actor; beside it that is kept as `context.anonymous_id`.
    user_id: Option<String>,
    /// Who did it, before anybody knows who that is.
    anonymous_id: Option<String>,
    /// What was done: the activity's type. For `track`.
    event: Option<String>,
    /// What was looked at. For `page` and `screen`.
    name: Option<String>,
    /// For `group`.
    group_id: Option<String>,
    /// For `alias`.
    previous_id: Option<String>,
    /// When it happened; the time of receipt if not given.
    timestamp: Option<String>,
    /// When the client sent it, by its own clock. If that is wrong by a minute or more, `timestamp` is corrected by as much.
    sent_at: Option<String>,
    /// At most 32 KiB, at most 8 deep. `value`, or `revenue`, becomes the activity's value if it is a number.
    #[schema(value_type = Option<Object>)]
    properties: Option<serde_json::Value>,
    /// Who somebody is. For `identify` and `group`.
    #[schema(value_type = Option<Object>)]
    traits: Option<serde_json::Value>,
    /// Where it came from: at most 32 KiB, at most 8 deep.
    #[schema(value_type = Option<Object>)]
    context: Option<serde_json::Value>,
    /// The token, if no header has it.
    write_key: Option<String>,
}

/// Several calls in one body.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct SegmentMessages {
    /// At most 10,000.
    batch: Vec<SegmentMessage>,
    /// The token, if no header has it.
    write_key: Option<String>,
    /// When the client sent it, by its own clock.
    sent_at: Option<String>,
}

macro_rules! call {
    ($(#[$doc:meta])* $name:ident at $path:literal of $body:ident is $protocol:ty, as $example:tt) => {
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "clients",
            request_body(content = $body, example = json!($example)),
            responses(
                (status = 200, description = "Recorded, and durable.", body = SegmentAnswer),
                SentProblems, CallerProblems, ServerProblems,
            ),
            security(("token" = []), ("basic" = [])),
        )]
        async fn $name(State(state): State<AppState>, request: Request) -> Response {
            ingest::<$protocol>(state, request).await
        }
    };
}

call! {
    /// Segment, RudderStack: a batch
    ///
    /// Several calls, valid ones recorded even if others are rejected. The token is the user name of HTTP Basic, a bearer
    /// token, or `writeKey`.
    segment_batch at "/v1/batch" of SegmentMessages is SegmentBatch, as
    {"batch": [{"type": "track", "event": "Order Completed", "userId": "ada", "messageId": "order-1042"}]}
}
call! {
    /// Segment, RudderStack: track
    ///
    /// What somebody did, an activity of the type `event`.
    segment_track at "/v1/track" of SegmentMessage is SegmentCall<0>, as
    {"event": "Order Completed", "userId": "ada", "properties": {"revenue": 42.5}}
}
call! {
    /// Segment, RudderStack: identify
    ///
    /// Who somebody is: an activity of the type `$identify`, with the traits as properties.
    segment_identify at "/v1/identify" of SegmentMessage is SegmentCall<1>, as
    {"userId": "ada", "traits": {"plan": "pro"}}
}
call! {
    /// Segment, RudderStack: page
    ///
    /// What somebody looked at: an activity of the type `$pageview`.
    segment_page at "/v1/page" of SegmentMessage is SegmentCall<2>, as
    {"userId": "ada", "name": "Pricing", "properties": {"path": "/pricing"}}
}
call! {
    /// Segment, RudderStack: screen
    ///
    /// What somebody looked at in an app: an activity of the type `$screen`.
    segment_screen at "/v1/screen" of SegmentMessage is SegmentCall<3>, as
    {"userId": "ada", "name": "Settings"}
}
call! {
    /// Segment, RudderStack: group
    ///
    /// To which group somebody belongs: an activity of the type `$group`, with `group_id` and the traits as properties.
    segment_group at "/v1/group" of SegmentMessage is SegmentCall<4>, as
    {"userId": "ada", "groupId": "acme", "traits": {"employees": 12}}
}
call! {
    /// Segment, RudderStack: alias
    ///
    /// By which name somebody was known before: an activity of the type `$alias`, with `previous_id` as a property.
    segment_alias at "/v1/alias" of SegmentMessage is SegmentCall<5>, as
    {"userId": "ada", "previousId": "visitor-7"}
}

/// Segment: what a browser asks first
///
/// `analytics.js` asks its `cdnURL` which integrations there are: the tracking API alone. Answers the same for every key.
#[utoipa::path(
    get, path = "/v1/projects/{key}/settings", tag = "clients",
    params(("key" = String, Path, description = "The key that the browser has.")),
    responses(
        (status = 200, description = "The settings.", body = Object),
        (status = 400, description = "The key has a control character.", body = Problem),
        ServerProblems,
    ),
    security(()),
)]
async fn segment_settings(ProblemPath(key): ProblemPath<String>) -> impl IntoResponse {
    Json(json!({"integrations": {"Segment.io": {"apiKey": key}}}))
}

/// The calls that are documented.
pub(in super::super) fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(segment_batch))
        .routes(routes!(segment_track))
        .routes(routes!(segment_identify))
        .routes(routes!(segment_page))
        .routes(routes!(segment_screen))
        .routes(routes!(segment_group))
        .routes(routes!(segment_alias))
        .routes(routes!(segment_settings))
}

/// The short addresses of `analytics.js`, and a slash at the end of the others.
pub(in super::super) fn aliases() -> Router<AppState> {
    Router::new()
        .route("/v1/batch/", post(segment_batch))
        .route("/v1/b", post(segment_batch))
        .route("/v1/t", post(segment_track))
        .route("/v1/i", post(segment_identify))
        .route("/v1/p", post(segment_page))
        .route("/v1/s", post(segment_screen))
        .route("/v1/g", post(segment_group))
        .route("/v1/a", post(segment_alias))
}
