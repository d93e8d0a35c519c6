use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

type Probe = Arc<dyn Fn() -> futures::future::BoxFuture<'static, Vec<Missing>> + Send + Sync>;

/// One thing without which a service cannot serve.
#[derive(Clone)]
pub struct Check(Probe);

/// Something that is missing, in the body of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// What, in a word or two.
    pub name: String,
    /// Why, as a phrase without what only operators may know.
    pub reason: String,
}

/// The body of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadinessReport {
    /// Whether the service can serve.
    pub ready: bool,
    /// What is missing if not.
    pub missing: Vec<Missing>,
}

/// Whether a service can serve, and what is missing if not.
#[derive(Clone, Default)]
pub struct Readiness(Vec<Check>);

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

impl Readiness {
    /// Adds a check; the probe's error is the reason in `/readyz`.
    #[must_use]
    pub fn with<F, Fut>(self, name: &'static str, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let probe = Arc::new(probe);
        self.with_all(move || {
            let probe = Arc::clone(&probe);
            async move {
                let outcome = tokio::time::timeout(PROBE_TIMEOUT, probe()).await;
                let outcome = outcome.unwrap_or_else(|_| Err("no answer within 2 s".to_owned()));
                outcome.err().map(|reason| Missing { name: name.to_owned(), reason }).into_iter().collect()
            }
        })
    }

    /// Adds a check that may find several things missing, and bounds its own time.
    #[must_use]
    pub fn with_all<F, Fut>(mut self, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<Missing>> + Send + 'static,
    {
        self.0.push(Check(Arc::new(move || Box::pin(probe()))));
        self
    }

    /// All checks of several services.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    async fn report(&self) -> ReadinessReport {
        let mut missing = Vec::new();
        for Check(probe) in &self.0 {
            missing.extend(probe().await);
        }
        ReadinessReport { ready: missing.is_empty(), missing }
    }

    /// `/healthz` (alive) and `/readyz` (can serve; names what is missing).
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let ready = move || {
            let readiness = self.clone();
            async move { answer(readiness.report().await) }
        };
        Router::new()
            .route("/healthz", get(|| async { Json(serde_json::json!({"alive": true})) }))
            .route("/readyz", get(ready))
    }
}

fn answer(report: ReadinessReport) -> Response {
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}
