//! One customer's posts beside another customer's flood.

use std::time::Duration;

use super::edges::Edges;
use crate::bench::client::{Paced, apart};
use crate::bench::owner::Owner;
use crate::bench::rows;
use crate::failure::Failure;

/// Connections of the customer that floods.
const FLOOD_CONNECTIONS: usize = 256;
/// Connections of the other one, and its posts a second: less than half of what the machine can do.
const CONNECTIONS: usize = 16;
const PER_S: f64 = 1_000.0;

pub(super) struct Outcome {
    /// Acknowledged activities a second.
    pub(super) alone: f64,
    pub(super) beside: f64,
    pub(super) flood_per_s: f64,
    /// Milliseconds from when a post was due to its response, the median.
    pub(super) alone_ms: f64,
    pub(super) beside_ms: f64,
}

pub(super) async fn measure(edges: &Edges, lasts: Duration) -> Result<Outcome, Failure> {
    let door = edges.door()?;
    let flooder = Owner::sign_up(door).await?.program().await?;
    let client = Owner::sign_up(door).await?.program().await?;
    let paced = move || {
        let client = client.clone();
        apart(async move { client.pace("/v1/activities", CONNECTIONS, PER_S, lasts, rows::with_id).await })
    };
    let alone: Paced = paced().await?;
    let flood = async move { flooder.flood("/v1/activities", FLOOD_CONNECTIONS, lasts, rows::with_id).await };
    let (beside, flood_per_s) = tokio::try_join!(paced(), apart(flood))?;
    Ok(Outcome {
        alone: alone.per_s,
        beside: beside.per_s,
        flood_per_s,
        alone_ms: alone.median_ms,
        beside_ms: beside.median_ms,
    })
}
