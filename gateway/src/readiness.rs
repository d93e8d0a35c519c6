use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use chassis::{Missing, Readiness, ReadinessReport, Upstream};
use futures::future::join_all;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::routes::Target;

/// Longer than a service may take over a check of its own, so that it can say what is missing.
const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer is repeated, so that a flood of requests does not reach the databases.
const FRESH: Duration = Duration::from_millis(250);
const REPORT_BYTES_MAX: usize = 64 * 1024;

type Last = Mutex<Option<(Instant, Vec<Missing>)>>;

/// The gateway can serve when every service behind it can.
pub(crate) fn readiness(config: &Config, shutdown: CancellationToken) -> Readiness {
    let upstreams = Target::ALL.map(|target| {
        let upstream = match target {
            Target::Activities => &config.activities,
            Target::Customers => &config.customers,
            Target::Reports => &config.reports,
        };
        (target, upstream.clone())
    });
    let shared = Arc::new((upstreams, Last::default()));
    let services = move || {
        let shared = Arc::clone(&shared);
        async move {
            let (upstreams, last) = &*shared;
            let mut last = last.lock().await;
            match &*last {
                Some((at, missing)) if at.elapsed() < FRESH => missing.clone(),
                _ => {
                    let asked = upstreams.iter().map(|(target, upstream)| missing_in(*target, upstream));
                    let missing: Vec<Missing> = join_all(asked).await.into_iter().flatten().collect();
                    *last = Some((Instant::now(), missing.clone()));
                    missing
                }
            }
        }
    };
    let open = move || {
        let closing = shutdown.is_cancelled();
        async move { if closing { Err("is shutting down".to_owned()) } else { Ok(()) } }
    };
    Readiness::default().with("gateway", open).with_all(services)
}

async fn missing_in(target: Target, upstream: &Upstream) -> Vec<Missing> {
    let asked = tokio::time::timeout(ASK_TIMEOUT, ask(upstream)).await;
    let failed = |reason: String| vec![Missing { name: target.name().to_owned(), reason }];
    match asked {
        Err(_) => failed(format!("no answer within {} s", ASK_TIMEOUT.as_secs())),
        Ok(Err(reason)) => failed(reason),
        Ok(Ok(missing)) => {
            let name = |missing: Missing| Missing { name: format!("{target}: {}", missing.name), ..missing };
            missing.into_iter().map(name).collect()
        }
    }
}

async fn ask(upstream: &Upstream) -> Result<Vec<Missing>, String> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/readyz");
    let response = upstream.call(request).await.map_err(|error| {
        tracing::debug!(%error, "a service cannot be asked whether it is ready");
        "is not reachable".to_owned()
    })?;
    let status = response.status();
    let body = Limited::new(response.into_body(), REPORT_BYTES_MAX).collect().await;
    let report = body.ok().and_then(|body| serde_json::from_slice::<ReadinessReport>(&body.to_bytes()).ok());
    match (status, report) {
        (StatusCode::OK, _) => Ok(Vec::new()),
        (_, Some(report)) if !report.missing.is_empty() => Ok(report.missing),
        _ => Err(format!("answered {status}")),
    }
}
