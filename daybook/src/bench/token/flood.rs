//! Good traffic beside a flood of texts that are no tokens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::token::TokenSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::edges::Edges;
use crate::bench::client::{all, apart};
use crate::bench::owner::Owner;
use crate::bench::rows;
use crate::failure::Failure;

/// Bad tokens a second.
pub(super) const PER_S: usize = 20_000;
/// Connections that send them, each so many at once, one after another without waiting for responses.
const FLOOD_CONNECTIONS: usize = 4;
const FLOOD_TOGETHER: usize = 50;
/// Connections of the good traffic.
const GOOD_CONNECTIONS: usize = 16;
/// What a response begins with; only their number is of interest.
const ANSWER: &[u8] = b"HTTP/1.1 401";
const READ_BYTES: usize = 64 * 1024;

pub(super) struct Outcome {
    /// Acknowledged activities a second.
    pub(super) alone: f64,
    pub(super) beside: f64,
    pub(super) refused_per_s: f64,
    /// Questions to customers during the flood.
    pub(super) calls: f64,
}

pub(super) async fn measure(edges: &Edges, lasts: Duration) -> Result<Outcome, Failure> {
    let door = edges.door()?;
    let client = Owner::sign_up(door).await?.program().await?;
    let post = move || {
        let client = client.clone();
        apart(async move { client.flood("/v1/activities", GOOD_CONNECTIONS, lasts, rows::with_id).await })
    };
    // Once before and once after, so that what the machine does by itself falls on both sides.
    let before = post().await?;
    let calls = edges.validations();
    let (beside, refused_per_s) = tokio::try_join!(post(), apart(flood(door, lasts)))?;
    let calls = edges.validations() - calls;
    let after = post().await?;
    Ok(Outcome { alone: f64::midpoint(before, after), beside, refused_per_s, calls: calls as f64 })
}

/// Requests with bad checksums, one after another.
fn bad_requests() -> Bytes {
    let mut random = rand::random::<u64>();
    let requests = (0..FLOOD_TOGETHER).map(|_| {
        let secret = TokenSecret::make(|below| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((random >> 33) % u64::from(below)) as u8
        });
        let (start, end) = secret.reveal().split_at(secret.reveal().len() - 1);
        let wrong = if end == "0" { "1" } else { "0" };
        format!(
            "GET /v1/activities/none HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {start}{wrong}\r\n\r\n"
        )
    });
    requests.collect::<String>().into()
}

/// Returns how many a second were refused.
async fn flood(door: SocketAddr, lasts: Duration) -> Result<f64, Failure> {
    let (refused, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let connections =
        (0..FLOOD_CONNECTIONS).map(|_| tokio::spawn(connection(door, began + lasts, Arc::clone(&refused))));
    all(connections).await?;
    Ok(refused.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
}

async fn connection(door: SocketAddr, until: Instant, refused: Arc<AtomicU64>) -> Result<(), Failure> {
    let stream = TcpStream::connect(door).await.map_err(Failure::io("the flood cannot connect"))?;
    let (mut answers, mut requests) = stream.into_split();
    let reading = tokio::spawn(async move {
        let (mut buffer, mut kept) = (vec![0; READ_BYTES], 0);
        loop {
            let read = answers.read(&mut buffer[kept..]).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let end = kept + read;
            let count = buffer[..end].windows(ANSWER.len()).filter(|window| *window == ANSWER).count();
            refused.fetch_add(count as u64, Ordering::Relaxed);
            // What may be the beginning of the next one.
            let next = end - (ANSWER.len() - 1).min(end);
            buffer.copy_within(next..end, 0);
            kept = end - next;
        }
    });
    let interval = Duration::from_secs_f64((FLOOD_CONNECTIONS * FLOOD_TOGETHER) as f64 / PER_S as f64);
    let mut ticks = tokio::time::interval(interval);
    let burst = bad_requests();
    while Instant::now() < until {
        ticks.tick().await;
        requests.write_all(&burst).await.map_err(Failure::io("the flood broke off"))?;
    }
    // The gateway responds to what it has, and closes.
    requests.shutdown().await.map_err(Failure::io("the flood broke off"))?;
    let _ = reading.await;
    Ok(())
}
