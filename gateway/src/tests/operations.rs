use axum::Router;
use chassis::{Readiness, Upstream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{config, request, send, text};
use crate::Config;

async fn door(config: Config, shutdown: CancellationToken) -> Router {
    crate::start(config, shutdown).await.unwrap().open("gateway").0
}

async fn ready(door: &Router) -> (u16, Value) {
    let response = send(door, request("GET", "/readyz")).await;
    assert!(response.headers().contains_key("x-request-id"));
    (response.status().as_u16(), serde_json::from_str(&text(response).await).unwrap())
}

fn service(readiness: Readiness) -> Upstream {
    Upstream::Local(readiness.router())
}

#[tokio::test]
async fn the_gateway_is_ready_when_every_service_is() {
    let [activities, customers, reports] = [(); 3].map(|()| service(Readiness::default()));
    let shutdown = CancellationToken::new();
    let door = door(Config { activities, customers, reports, ..config() }, shutdown.clone()).await;
    assert_eq!(ready(&door).await, (200, json!({"ready": true, "missing": []})));
    assert_eq!(text(send(&door, request("GET", "/healthz")).await).await, r#"{"alive":true}"#);
    shutdown.cancel();
    let missing = json!([{"name": "gateway", "reason": "is shutting down"}]);
    assert_eq!(ready(&door).await, (503, json!({"ready": false, "missing": missing})));
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_service() {
    let readiness =
        Readiness::default().with("log", || async { Err("the database does not answer".to_owned()) });
    let silent = Router::new().fallback(std::future::pending::<()>);
    let config = Config { reports: service(readiness), customers: Upstream::Local(silent), ..config() };
    let missing = json!([
        {"name": "activities", "reason": "is not reachable"},
        {"name": "customers", "reason": "no answer within 3 s"},
        {"name": "reports: log", "reason": "the database does not answer"},
    ]);
    let door = door(config, CancellationToken::new()).await;
    assert_eq!(ready(&door).await, (503, json!({"ready": false, "missing": missing})));
}

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let door = door(config(), CancellationToken::new()).await;
    let response = send(&door, request("GET", "/openapi.json")).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let document: Value = serde_json::from_str(&text(response).await).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn the_example_is_the_default() {
    let example = include_str!("../../.env.example");
    let pairs =
        example.lines().filter_map(|line| line.split_once('=')).filter(|(key, _)| !key.starts_with('#'));
    let given = Config::from_env(&chassis::Env::from_pairs(pairs)).unwrap();
    let default = config();
    assert_eq!((given.listen, given.metrics_listen), (default.listen, default.metrics_listen));
    assert_eq!(format!("{:?}", given.limits), format!("{:?}", default.limits));
    for (given, default) in [
        (given.activities, default.activities),
        (given.customers, default.customers),
        (given.reports, default.reports),
    ] {
        assert_eq!(format!("{given:?}"), format!("{default:?}"));
    }
}
