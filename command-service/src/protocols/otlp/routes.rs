use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use chassis::{CallerProblems, ServerProblems};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::documents::SentProblems;
use super::super::ingest::ingest;
use super::OtlpLogs;
use crate::state::AppState;

/// OpenTelemetry: logs
///
/// `ExportLogsServiceRequest` of OTLP/HTTP, as JSON or as protobuf (`application/x-protobuf`). A record is an activity: its
/// type is the event name, else `log`; its actor `user.id`, `enduser.id`, `session.id` or the service's name. Records that
/// are not recorded are a partial success.
#[utoipa::path(
    post, path = "/v1/logs", tag = "clients",
    request_body(content = Object, example = json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeLogs": [{"logRecords": [{
            "eventName": "order.paid", "attributes": [{"key": "user.id", "value": {"stringValue": "ada"}}]
        }]}]
    }]})),
    responses(
        (status = 200, description = "`ExportLogsServiceResponse`; what is recorded is durable.", body = Object),
        SentProblems, CallerProblems, ServerProblems,
    ),
    security(("token" = []), ("basic" = [])),
)]
async fn otlp_logs(State(state): State<AppState>, request: Request) -> Response {
    ingest::<OtlpLogs>(state, request).await
}

/// The address that is documented.
pub(in super::super) fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(otlp_logs))
}

/// The same with a slash at the end.
pub(in super::super) fn aliases() -> Router<AppState> {
    Router::new().route("/v1/logs/", post(otlp_logs))
}
