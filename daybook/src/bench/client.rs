//! The load: clients of the public door, on the same machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use chassis::Upstream;
use futures::StreamExt;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::failure::Failure;

/// Runs a load on a thread and with a scheduler of its own, as another program would: what is measured must not wait for
/// its turn behind what measures.
pub(super) async fn apart<T: Send + 'static>(
    load: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let (answer, outcome) = oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome =
            runtime.map_err(Failure::io("cannot start the load")).and_then(|runtime| runtime.block_on(load));
        // A caller that no longer waits for it has failed already.
        let _ = answer.send(outcome);
    };
    std::thread::Builder::new()
        .name("load".to_owned())
        .spawn(run)
        .map_err(Failure::io("cannot start the load"))?;
    outcome.await.unwrap_or_else(|_| Err(Failure::Failed("the load broke off".to_owned())))
}

/// Keeps the thread of a load on one core from now on. Otherwise the kernel now and then wakes it where it was answered, so
/// that it takes turns with the server on one core while the other one idles, and no two measurements compare.
pub(super) fn stay_on_one_core() -> Result<(), Failure> {
    let failed = |error: rustix::io::Errno| Failure::io("cannot keep the load on one core")(error.into());
    let allowed = sched_getaffinity(None).map_err(failed)?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|&core| allowed.is_set(core));
    let mut core = CpuSet::new();
    core.set(last.unwrap_or(0));
    sched_setaffinity(None, &core).map_err(failed)
}

/// The result of posts at a steady pace.
pub(super) struct Paced {
    /// Acknowledged activities a second.
    pub(super) per_s: f64,
    /// From when a request was due until its response, the median in milliseconds.
    pub(super) median_ms: f64,
}

/// A program with a token.
#[derive(Clone)]
pub(super) struct Client {
    door: Upstream,
    authorization: Option<HeaderValue>,
}

impl Client {
    pub(super) fn of(address: SocketAddr) -> Result<Self, Failure> {
        let door = format!("http://{address}").parse().map_err(Failure::Failed)?;
        Ok(Self { door, authorization: None })
    }

    pub(super) fn with_token(mut self, token: &str) -> Result<Self, Failure> {
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        self.authorization = Some(value.map_err(|error| Failure::Failed(error.to_string()))?);
        Ok(self)
    }

    /// Sends a request and returns the body of a success.
    ///
    /// # Errors
    /// Any other response, and none.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Body>,
    ) -> Result<(http::HeaderMap, Value), Failure> {
        let (parts, bytes) = self.exchange(method, path, headers, body.into()).await?;
        if parts.status == StatusCode::NO_CONTENT {
            return Ok((parts.headers, Value::Null));
        }
        let answer = serde_json::from_slice(&bytes);
        Ok((parts.headers, answer.map_err(|error| Failure::Failed(format!("{path}: {error}")))?))
    }

    /// Sends a `GET` and reads its answer, but does not look at it.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(super) async fn fetch(&self, path: &str) -> Result<Bytes, Failure> {
        Ok(self.exchange(Method::GET, path, &[], Body::empty()).await?.1)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Body,
    ) -> Result<(Parts, Bytes), Failure> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == CONTENT_TYPE.as_str()) {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{path}: {error}"));
        let request = request.body(body).map_err(|error| failed(&error))?;
        let response = self.door.call(request).await.map_err(|error| failed(&error))?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|error| failed(&error))?.to_bytes();
        if !parts.status.is_success() {
            return Err(failed(&format_args!("{} {}", parts.status, String::from_utf8_lossy(&bytes))));
        }
        Ok((parts, bytes))
    }

    /// Sends lines over one connection until time is up, and returns how many a second were recorded, until the last was.
    pub(super) async fn stream(&self, lasts: Duration, lines: fn(usize) -> String) -> Result<f64, Failure> {
        let began = Instant::now();
        let chunks = futures::stream::iter(0..).take_while(move |_| {
            let goes_on = began.elapsed() < lasts;
            async move { goes_on }
        });
        let body = Body::from_stream(chunks.map(move |n| Ok::<_, std::convert::Infallible>(lines(n))));
        let lines = [(CONTENT_TYPE.as_str(), "application/x-ndjson")];
        let (_, answer) = self.exchange(Method::POST, "/v1/activities/stream", &lines, body).await?;
        let last = answer.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let summary: Value = serde_json::from_slice(last).unwrap_or_default();
        match (summary["complete"].as_bool(), summary["accepted"].as_u64()) {
            (Some(true), Some(accepted)) => Ok(accepted as f64 / began.elapsed().as_secs_f64()),
            _ => Err(Failure::Failed(format!("a stream ended with {}", String::from_utf8_lossy(last)))),
        }
    }

    /// The status of a `GET`, whatever it is.
    ///
    /// # Errors
    /// No response.
    pub(super) async fn status(
        &self,
        path: &'static str,
        (name, value): (http::HeaderName, HeaderValue),
    ) -> Result<StatusCode, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{path}: {error}"));
        let request = Request::builder().uri(path).header(name, value).body(Body::empty());
        let request = request.map_err(|error| failed(&error))?;
        let response = self.door.call(request).await.map_err(|error| failed(&error))?;
        let (parts, body) = response.into_parts();
        body.collect().await.map_err(|error| failed(&error))?;
        Ok(parts.status)
    }

    /// Posts bodies at a steady pace over at most `connections`: each is due at its own time, and one that is late is
    /// sent as soon as a connection is free.
    pub(super) async fn pace(
        &self,
        path: &'static str,
        connections: usize,
        per_s: f64,
        lasts: Duration,
        body: fn(usize) -> String,
    ) -> Result<Paced, Failure> {
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let tasks = (0..connections).map(|_| {
            let (client, next) = (self.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut took_ms = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let due = Duration::from_secs_f64(n as f64 / per_s);
                    if due.max(began.elapsed()) >= lasts {
                        return Ok(took_ms);
                    }
                    tokio::time::sleep_until((began + due).into()).await;
                    client.call(Method::POST, path, &[], body(n as usize)).await?;
                    took_ms.push(began.elapsed().saturating_sub(due).as_secs_f64() * 1_000.0);
                }
            })
        });
        let mut took_ms: Vec<f64> = all(tasks).await?.into_iter().flatten().collect();
        let per_s = took_ms.len() as f64 / began.elapsed().as_secs_f64();
        Ok(Paced { per_s, median_ms: super::median(&mut took_ms) })
    }

    /// Posts bodies from `connections` tasks until time is up, and returns how many a second were acknowledged.
    pub(super) async fn flood(
        &self,
        path: &'static str,
        connections: usize,
        lasts: Duration,
        body: fn(usize) -> String,
    ) -> Result<f64, Failure> {
        let done = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let tasks = (0..connections).map(|task| {
            let (client, done) = (self.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                for n in (task..).step_by(connections) {
                    if began.elapsed() >= lasts {
                        return Ok(());
                    }
                    client.call(Method::POST, path, &[], body(n)).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        });
        all(tasks).await?;
        Ok(done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
    }
}

/// Waits for all tasks; the first failure counts.
pub(super) async fn all<T>(
    tasks: impl Iterator<Item = tokio::task::JoinHandle<Result<T, Failure>>>,
) -> Result<Vec<T>, Failure> {
    let outcomes = futures::future::join_all(tasks).await;
    outcomes.into_iter().map(|outcome| outcome.map_err(|error| Failure::Failed(error.to_string()))?).collect()
}
