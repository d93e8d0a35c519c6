//! What PostHog's clients ask beside capturing. Daybook has neither flags nor recordings: everything is off.

use axum::Json;
use axum::response::IntoResponse;
use chassis::ServerProblems;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// The settings of a browser.
fn settings() -> Value {
    json!({
        "analytics": {"endpoint": "/e/"},
        "autocaptureExceptions": false,
        "autocapture_opt_out": false,
        "captureDeadClicks": false,
        "capturePerformance": false,
        "conversations": false,
        "defaultIdentifiedOnly": true,
        "elementsChainAsString": true,
        "errorTracking": {"autocaptureExceptions": false, "suppressionRules": []},
        "hasFeatureFlags": false,
        "heatmaps": false,
        "isAuthenticated": false,
        "logs": {"captureConsoleLogs": false},
        "productTours": false,
        "sessionRecording": false,
        "siteApps": [],
        "supportedCompression": ["gzip", "gzip-js"],
        "surveys": false,
        "toolbarParams": {},
    })
}

/// PostHog: settings of a browser
///
/// What `posthog-js` asks first. Answers the same for every key.
#[utoipa::path(
    get, path = "/array/{key}/config", tag = "clients",
    params(("key" = String, Path, description = "The key that the browser has.")),
    responses((status = 200, description = "The settings.", body = Object), ServerProblems),
    security(()),
)]
pub(super) async fn posthog_settings() -> Json<Value> {
    Json(settings())
}

/// The same as a script, for a page that loads it as one.
pub(super) async fn posthog_settings_script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], "")
}

/// PostHog: flags
///
/// There are none.
#[utoipa::path(
    post, path = "/flags/", tag = "clients",
    request_body(content = Object, example = json!({"distinct_id": "ada"})),
    responses((status = 200, description = "No flags.", body = Object), ServerProblems),
    security(()),
)]
pub(super) async fn posthog_flags() -> Json<Value> {
    let mut answer = settings();
    if let Value::Object(fields) = &mut answer {
        fields.insert("flags".to_owned(), json!({}));
        fields.insert("featureFlags".to_owned(), json!({}));
        fields.insert("featureFlagPayloads".to_owned(), json!({}));
        fields.insert("errorsWhileComputingFlags".to_owned(), json!(false));
    }
    Json(answer)
}
