//! How long it takes from an acknowledgement until the activity is in the report.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use tokio_util::sync::CancellationToken;

use super::client::{Client, all};
use super::rows::body;
use crate::failure::Failure;

/// Each sends an activity every [`INTERVAL`].
const INTERVAL: Duration = Duration::from_millis(10);
const POLL: Duration = Duration::from_millis(20);
/// Longer than anything that would still count as working.
const PATIENCE: Duration = Duration::from_secs(30);

/// The measured delays.
pub(super) struct Outcome {
    /// The 99th percentile, in milliseconds.
    pub(super) p99: f64,
    /// Acknowledged activities.
    pub(super) sent_per_s: f64,
}

/// At 1,000 activities a second.
pub(super) async fn measure(client: &Client, lasts: Duration) -> Result<Outcome, Failure> {
    measure_at(1_000, client, lasts).await
}

/// The customer of `client` must be new: a report's total is then the position up to which it counts.
pub(super) async fn measure_at(per_s: u128, client: &Client, lasts: Duration) -> Result<Outcome, Failure> {
    let senders = per_s * INTERVAL.as_millis() / 1_000;
    let stop = CancellationToken::new();
    let watching = tokio::spawn(watch(client.clone(), stop.clone()));
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let senders = (0..senders).map(|_| tokio::spawn(send(client.clone(), Arc::clone(&next), began + lasts)));
    let sent: Vec<(i64, Instant)> = all(senders).await?.into_iter().flatten().collect();
    let sent_per_s = sent.len() as f64 / began.elapsed().as_secs_f64();
    let last = sent.iter().map(|(position, _)| *position).max().unwrap_or(0);
    let deadline = Instant::now() + PATIENCE;
    while total(client).await? < last {
        if Instant::now() > deadline {
            return Err(Failure::Failed(format!("position {last} is not in the report after {PATIENCE:?}")));
        }
        tokio::time::sleep(POLL).await;
    }
    tokio::time::sleep(POLL * 2).await;
    stop.cancel();
    let seen = watching.await.map_err(|error| Failure::Failed(error.to_string()))??;
    let mut delays: Vec<f64> = sent
        .iter()
        .filter_map(|(position, acknowledged)| {
            let visible = seen.partition_point(|(total, _)| total < position);
            let (_, at) = seen.get(visible)?;
            Some(at.saturating_duration_since(*acknowledged).as_secs_f64() * 1_000.0)
        })
        .collect();
    if delays.len() != sent.len() {
        return Err(Failure::Failed("some activities were never seen in the report".to_owned()));
    }
    Ok(Outcome { p99: super::p99(&mut delays), sent_per_s })
}

async fn send(
    client: Client,
    next: Arc<AtomicUsize>,
    until: Instant,
) -> Result<Vec<(i64, Instant)>, Failure> {
    let mut pace = tokio::time::interval(INTERVAL);
    let mut sent = Vec::new();
    while Instant::now() < until {
        pace.tick().await;
        let n = next.fetch_add(1, Ordering::Relaxed);
        let (_, answer) = client.call(Method::POST, "/v1/activities", &[], body(n)).await?;
        sent.push((answer["position"].as_i64().unwrap_or(0), Instant::now()));
    }
    Ok(sent)
}

/// What the report said and when; totals only rise.
async fn watch(client: Client, stop: CancellationToken) -> Result<Vec<(i64, Instant)>, Failure> {
    let mut seen: Vec<(i64, Instant)> = Vec::new();
    while !stop.is_cancelled() {
        let total = total(&client).await?;
        if seen.last().is_none_or(|(last, _)| total > *last) {
            seen.push((total, Instant::now()));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(seen)
}

async fn total(client: &Client) -> Result<i64, Failure> {
    let now = chrono::Utc::now();
    let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%dT%H:%M:00Z");
    let (from, to) = (time(now - chrono::TimeDelta::hours(1)), time(now + chrono::TimeDelta::hours(1)));
    let path = format!("/v1/reports/activity?from={from}&to={to}&interval=hour");
    let (_, report) = client.call(Method::GET, &path, &[], "").await?;
    Ok(report["total"].as_f64().unwrap_or(0.0) as i64)
}
