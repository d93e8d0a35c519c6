use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde::Serialize;

use super::month::{Activity, Month};
use crate::failure::Failure;
use crate::folder::DataFolder;
use crate::progress;
use crate::up::{Account, Answer, Credentials, Door, Login};

/// The most that a batch may hold.
const BATCH_ACTIVITIES: usize = 1_000;
/// While the database is away or the log is full, a request is sent again.
const ATTEMPTS_MAX: u32 = 20;
const RETRY_PAUSE: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Batch<'a> {
    activities: &'a [Activity],
}

/// Records the demo's month, unless it is recorded already. Broken off, it goes on at the next start.
///
/// # Errors
/// An unexpected response of the gateway.
pub(crate) async fn record(door: &Door, folder: &DataFolder, mut login: Login) -> Result<(), Failure> {
    let Some(state) = login.month.as_mut() else {
        tracing::info!("another data folder has signed the demo customer up; its month is left as it is");
        return Ok(());
    };
    if state.recorded {
        return Ok(());
    }
    let Some(token) = login.token.clone() else { return Ok(()) };
    let began = Instant::now();
    let recorder = Recorder { door, credentials: Credentials::Token(token) };
    let month = Month::until(state.until);
    let bar = progress::counted("the demo's month", month.activities.len() as u64);
    let mut accepted = 0;
    for batch in month.activities.chunks(BATCH_ACTIVITIES) {
        accepted += recorder.batch(batch).await?;
        bar.inc(batch.len() as u64);
    }
    for (id, correction) in &month.corrections {
        let body = Some(correction.to_string().into_bytes());
        // Gone: an earlier attempt redacted it. It stays as it was then.
        recorder.must(Method::PATCH, id, body, &[StatusCode::OK, StatusCode::GONE]).await?;
    }
    for id in &month.redactions {
        let done = [StatusCode::OK, StatusCode::NO_CONTENT, StatusCode::GONE];
        recorder.must(Method::DELETE, id, None, &done).await?;
    }
    bar.finish_and_clear();
    state.recorded = true;
    Account::Demo.keep(folder, &login)?;
    let seconds = began.elapsed().as_secs_f64();
    tracing::info!("the demo's month is recorded: {accepted} activities in {seconds:.1} s");
    Ok(())
}

struct Recorder<'a> {
    door: &'a Door,
    credentials: Credentials,
}

impl Recorder<'_> {
    async fn batch(&self, activities: &[Activity]) -> Result<u64, Failure> {
        let body = serde_json::to_vec(&Batch { activities })
            .map_err(|error| Failure::Failed(format!("the demo cannot be written as JSON: {error}")))?;
        let answer = self.send(Method::POST, "/v1/activities/batch", Some(body)).await?;
        let is_whole = answer.body["rejected"].as_array().is_some_and(Vec::is_empty);
        if answer.status != StatusCode::ACCEPTED || !is_whole {
            return Err(answer.unexpected("recording the demo"));
        }
        Ok(answer.body["accepted"].as_u64().unwrap_or_default())
    }

    async fn must(
        &self,
        method: Method,
        id: &str,
        body: Option<Vec<u8>>,
        done: &[StatusCode],
    ) -> Result<(), Failure> {
        let answer = self.send(method, &format!("/v1/activities/{id}"), body).await?;
        if done.contains(&answer.status) { Ok(()) } else { Err(answer.unexpected("changing the demo")) }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Answer, Failure> {
        let mut attempts = 1;
        loop {
            let answer = self.door.send(method.clone(), path, &self.credentials, body.clone()).await?;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE || attempts == ATTEMPTS_MAX {
                return Ok(answer);
            }
            attempts += 1;
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}
