use access::InternalRoutes;
use axum::Router;
use axum::routing::get;
use chassis::with_fallbacks;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::handlers::{
    correct_activity, describe_actor, discard_dead_letter, get_activity, history, list_rejections,
    merge_actors, named, record_activity, record_batch, record_stream, redact_activity, revert_merge,
    stream_history,
};
use crate::protocols;
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(tags(
    (name = "activities", description = "Record, read, correct and redact activities."),
    (name = "actors", description = "Describe actors, and merge their names."),
    (name = "history", description = "The log itself, for auditors."),
    (name = "clients", description = "What foreign clients send, as they send it."),
))]
struct Document;

fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(record_activity::record_activity))
        .routes(routes!(record_batch::record_batch))
        .routes(routes!(record_stream::record_stream))
        .routes(routes!(
            get_activity::get_activity,
            correct_activity::correct_activity,
            redact_activity::redact_activity
        ))
        .routes(routes!(describe_actor::describe_actor))
        .routes(routes!(merge_actors::merge_actors))
        .routes(routes!(revert_merge::revert_merge))
        .routes(routes!(history::history))
        .routes(routes!(stream_history::stream_history))
        .routes(routes!(list_rejections::list_rejections))
        .merge(protocols::documented())
}

/// What the service offers to the public, for the one document of the gateway.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    access::with_conventions(documented().into_openapi())
}

/// Every route: the public ones, and those that only other services know.
pub fn router(state: AppState) -> Router {
    let internal = InternalRoutes::default()
        .with(discard_dead_letter::discard_dead_letter)
        .behind(state.access.internal_key());
    let (mut public, document) = documented().split_for_parts();
    // An id may be any word, also one that is a route of ours; and it may have several segments, or be named in the query.
    let words = document.paths.paths.into_keys();
    let words = words.filter(|path| path.starts_with(named::ACTIVITIES) && !path.contains('{'));
    let others = ["/v1/activities/".to_owned(), "/v1/activities/{id}/{*rest}".to_owned()];
    for path in words.chain(others) {
        let activity = get(get_activity::get_activity)
            .patch(correct_activity::correct_activity)
            .delete(redact_activity::redact_activity);
        public = public.route(&path, activity);
    }
    with_fallbacks(public.merge(protocols::aliases()).merge(internal)).with_state(state)
}
