//! From the response to a revocation until every edge refuses the token.

use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};

use super::edges::Edges;
use crate::bench::client::{Client, all};
use crate::bench::owner::{Issued, Owner};
use crate::failure::Failure;

const TOKENS: usize = 100;
const LIMIT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(2);
/// With a right token, nothing is there; with a revoked one, the response does not say so.
const PATH: &str = "/v1/activities/none";

pub(super) struct Outcome {
    pub(super) tokens: f64,
    /// Refused by all edges within a second.
    pub(super) in_time: f64,
    pub(super) slowest_ms: f64,
}

pub(super) async fn measure(edges: &Edges) -> Result<Outcome, Failure> {
    let owner = Owner::sign_up(edges.door()?).await?;
    let doors: Vec<Client> = edges.doors.iter().map(|door| Client::of(*door)).collect::<Result<_, _>>()?;
    let mut tokens = Vec::new();
    for _ in 0..TOKENS {
        let token = owner.issue().await?;
        // In every cache, for a day.
        for door in &doors {
            if status(door, &token).await? != StatusCode::NOT_FOUND {
                return Err(Failure::Failed("a new token is not let in".to_owned()));
            }
        }
        tokens.push(token);
    }
    let mut delays = Vec::new();
    for token in &tokens {
        owner.revoke(token).await?;
        let answered = Instant::now();
        let refused = doors.iter().cloned().map(|door| {
            let token = token.secret.clone();
            tokio::spawn(async move { refused(&door, &token, answered).await })
        });
        delays.push(all(refused).await?.into_iter().max().unwrap_or(PATIENCE));
    }
    let in_time = delays.iter().filter(|delay| **delay <= LIMIT).count() as f64;
    let slowest = delays.iter().max().copied().unwrap_or_default();
    Ok(Outcome { tokens: TOKENS as f64, in_time, slowest_ms: slowest.as_secs_f64() * 1_000.0 })
}

async fn status(door: &Client, token: &Issued) -> Result<StatusCode, Failure> {
    ask(door, &token.secret).await
}

async fn ask(door: &Client, secret: &str) -> Result<StatusCode, Failure> {
    let bearer = HeaderValue::from_str(&format!("Bearer {secret}"));
    let bearer = bearer.map_err(|error| Failure::Failed(error.to_string()))?;
    door.status(PATH, (AUTHORIZATION, bearer)).await
}

/// How long after the response an edge refuses.
async fn refused(door: &Client, secret: &str, answered: Instant) -> Result<Duration, Failure> {
    loop {
        if ask(door, secret).await? == StatusCode::UNAUTHORIZED {
            return Ok(answered.elapsed());
        }
        if answered.elapsed() > PATIENCE {
            return Err(Failure::Failed(format!("a revoked token is let in after {PATIENCE:?}")));
        }
        tokio::time::sleep(POLL).await;
    }
}
