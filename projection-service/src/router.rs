use access::InternalRoutes;
use axum::Router;
use chassis::with_fallbacks;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::handlers::{
    discard_dead_letter, find_positions, list_dead_letters, list_projections, rebuild_projection,
    retry_dead_letter,
};
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(tags(
    (name = "reports", description = "What the log adds up to."),
    (name = "actors", description = "Who the activities are of."),
    (name = "operations", description = "Projections, and the events that they could not fold."),
))]
struct Document;

fn documented() -> OpenApiRouter<AppState> {
    crate::reports::add(OpenApiRouter::with_openapi(Document::openapi()))
        .routes(routes!(list_projections::list_projections))
        .routes(routes!(rebuild_projection::rebuild_projection, rebuild_projection::get_rebuild))
        .routes(routes!(list_dead_letters::list_dead_letters))
        .routes(routes!(retry_dead_letter::retry_dead_letter))
        .routes(routes!(discard_dead_letter::discard_dead_letter))
}

/// What the service offers to the public, for the one document of the gateway.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    access::with_conventions(documented().into_openapi())
}

/// Every route: the public ones, and those that only other services know.
pub fn router(state: AppState) -> Router {
    let internal =
        InternalRoutes::default().with(find_positions::find_positions).behind(state.access.internal_key());
    let (public, _) = documented().split_for_parts();
    with_fallbacks(public.merge(internal)).with_state(state)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    found.push(reference.clone());
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_schema_that_the_document_refers_to_is_in_it() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 10, "{found:?}");
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
