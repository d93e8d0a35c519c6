//! Tokens at the edge: what a validation costs, and what floods and revocations do.

mod cache;
mod edges;
mod fairness;
mod flood;
mod revocations;

use std::time::Duration;

use embedded_postgres::{Options, Server};

use super::report::{Figure, Report, Target};
use crate::failure::Failure;
use edges::Edges;

/// Gateways with a write side behind each, all in front of one customers.
const EDGES: usize = 4;

/// Measures everything in one run.
pub(super) async fn measure(lasts: Duration) -> Result<Report, Failure> {
    let dir = tempfile::Builder::new().prefix("daybook-bench-").tempdir();
    let dir = dir.map_err(Failure::io("cannot make a temporary folder"))?;
    let server = Server::start(Options::new(dir.path().join("data"))).await?;
    let figures = measure_on(&server, lasts).await;
    server.stop().await?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let with = vec![
        format!("{cores} cores for clients, Daybook and PostgreSQL {} together", embedded_postgres::VERSION),
        format!("{build} build; each timed part {} s; {EDGES} edges in one process", lasts.as_secs()),
    ];
    Ok(Report { bench: "token", with, figures: figures? })
}

async fn measure_on(server: &Server, lasts: Duration) -> Result<Vec<Figure>, Failure> {
    let edges = Edges::start(server, EDGES).await?;
    let figures = measure_at(&edges, lasts).await;
    edges.stop().await;
    figures
}

async fn measure_at(edges: &Edges, lasts: Duration) -> Result<Vec<Figure>, Failure> {
    say("cached validations");
    let cached = cache::cached(edges).await?;
    say("first uses at the same time");
    let calls = cache::first_uses(edges).await?;
    say("revocations");
    let revoked = revocations::measure(edges).await?;
    say("a flood of bad tokens");
    let bad = flood::measure(edges, lasts).await?;
    say("a flood of one customer's");
    let fair = fairness::measure(edges, lasts).await?;
    say(&format!(
        "the middle post took {:.1} ms alone and {:.1} ms beside it",
        fair.alone_ms, fair.beside_ms
    ));
    let posts = "activities/s";
    Ok(vec![
        Figure::new(
            ("cached validation, p50", cached),
            "ns",
            ("a microsecond", 1_000.0),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("calls for 1,000 first uses of one token at once", calls),
            "calls",
            ("one", 1.0),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("revocations refused by 4 edges within 1 s", revoked.in_time),
            "tokens",
            ("revoked", revoked.tokens),
            Target::AtLeast(1.0),
        ),
        Figure::new(
            ("revoked to refused by 4 edges, the slowest", revoked.slowest_ms),
            "ms",
            ("a second", 1_000.0),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("posts beside a flood of bad tokens", bad.beside),
            posts,
            ("without the flood", bad.alone),
            Target::AtLeast(0.8),
        ),
        Figure::new(
            ("bad tokens refused in the meantime", bad.refused_per_s),
            "a second",
            ("as intended", flood::PER_S as f64),
            Target::AtLeast(0.95),
        ),
        Figure::new(("calls to customers for them", bad.calls), "calls", ("one", 1.0), Target::AtMost(0.0)),
        Figure::new(
            ("posts beside another customer's flood", fair.beside),
            posts,
            ("without the flood", fair.alone),
            Target::AtLeast(0.8),
        ),
        Figure::new(
            ("the flood itself", fair.flood_per_s),
            posts,
            ("the posts beside it", fair.beside),
            Target::AtLeast(1.0),
        ),
    ])
}

fn say(text: &str) {
    eprintln!("bench: {text}");
}
