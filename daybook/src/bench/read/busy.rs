use std::time::Duration;

use domain::Partitions;
use embedded_postgres::Server;
use event_store::EventLog;
use sqlx::PgPool;

use super::beside::Rebuilding;
use super::lag::{Lag, LagWatch};
use super::sample::batch_body;
use crate::bench::client::{Client, apart, stay_on_one_core};
use crate::bench::house::{Folds, House};
use crate::bench::ingest::{PARTITIONS, flood, say, spread};
use crate::bench::report::{Figure, Target};
use crate::bench::rows::BATCH;
use crate::bench::{database_failure, median, p99};
use crate::failure::Failure;

/// How long ingest runs at its full rate while the lag is measured.
const FLOOD_LASTS: Duration = Duration::from_secs(24);
const LAG_S_MAX: f64 = 5.0;
/// Beside and not beside a rebuild in so many turns each.
const TURNS: usize = 3;
const TURN: Duration = Duration::from_secs(5);
/// How often a report is asked for.
const QUERY_INTERVAL: Duration = Duration::from_millis(20);
/// A report of 90 days by a property.
const REPORT: &str = "/v1/reports/activity?range=90d&group_by=properties.plan";

/// All services under load: ingest at its full rate, the fold beside it, and a rebuild beside both.
pub(super) async fn measure(server: &Server) -> Result<Vec<Figure>, Failure> {
    let house = House::start(server, "busy", Folds::AtOnce).await?;
    let measured = measure_in(&house).await;
    house.stop().await;
    measured
}

async fn measure_in(house: &House) -> Result<Vec<Figure>, Failure> {
    let connect = async |url: &str| PgPool::connect(url).await.map_err(database_failure);
    let log = EventLog::open_existing(connect(&house.databases.activities).await?).await?;
    let reports = connect(&house.databases.reports).await?;
    let partitions = Partitions::new(PARTITIONS).unwrap_or(Partitions::ONE);
    let clients = spread(house.address, partitions).await?;

    say("the lag while ingest runs at its full rate");
    let watch = LagWatch::start(log.pool().clone(), reports.clone());
    let ingested = ingest(&clients, FLOOD_LASTS).await?;
    let lag = watch.end().await?;
    let mut figures = lag_figures(&lag, ingested);

    say("queries, and ingest, beside a rebuild");
    let (mut alone_ms, mut beside_ms) = (Vec::new(), Vec::new());
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        alone_ms.extend(query(&clients[0], TURN).await?);
        alone.push(ingest(&clients, TURN).await?);
        let rebuilding = Rebuilding::start(&reports, &log);
        beside_ms.extend(query(&clients[0], TURN).await?);
        beside.push(ingest(&clients, TURN).await?);
        rebuilding.end().await?;
    }
    let (alone, beside) = (median(&mut alone), median(&mut beside));
    figures.push(Figure::new(
        ("ingest beside a rebuild", beside),
        "activities/s",
        ("without", alone),
        Target::AtLeast(0.7),
    ));
    figures.push(Figure::new(
        ("a report beside a rebuild, p99", p99(&mut beside_ms)),
        "ms",
        ("without", p99(&mut alone_ms)),
        Target::AtMost(2.0),
    ));
    Ok(figures)
}

fn lag_figures(lag: &Lag, ingested: f64) -> Vec<Figure> {
    vec![
        Figure::new(
            ("folded while ingest runs at its full rate", lag.fold_rate),
            "activities/s",
            ("ingested", ingested),
            Target::AtLeast(0.95),
        ),
        Figure::new(
            ("the longest lag meanwhile", lag.longest),
            "s",
            ("may be", LAG_S_MAX),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("the lag in the last third, on average", lag.last_third),
            "s",
            ("in the middle third", lag.middle_third),
            Target::AtMost(1.5),
        ),
    ]
}

/// Activities a second that are acknowledged, in batches.
async fn ingest(clients: &[Client], lasts: Duration) -> Result<f64, Failure> {
    let clients = clients.to_vec();
    let flooding = apart(async move {
        stay_on_one_core()?;
        flood(&clients, "/v1/activities/batch", 1, lasts, batch_body).await
    });
    Ok(flooding.await? * BATCH as f64)
}

/// How many milliseconds each report took.
async fn query(client: &Client, lasts: Duration) -> Result<Vec<f64>, Failure> {
    let client = client.clone();
    apart(async move {
        let mut took_ms = Vec::new();
        let ends = tokio::time::Instant::now() + lasts;
        while tokio::time::Instant::now() < ends {
            let began = std::time::Instant::now();
            client.call(http::Method::GET, REPORT, &[], "").await?;
            took_ms.push(began.elapsed().as_secs_f64() * 1e3);
            tokio::time::sleep(QUERY_INTERVAL).await;
        }
        Ok(took_ms)
    })
    .await
}
