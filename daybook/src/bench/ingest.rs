use std::net::SocketAddr;
use std::time::Duration;

use domain::Partitions;
use embedded_postgres::{Options, Server};
use event_store::EventLog;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

use super::client::{Client, all, apart, stay_on_one_core};
use super::house::{Folds, House, new_database};
use super::owner::Owner;
use super::report::{Figure, Report, Target};
use super::{CONNECTIONS, database_failure, freshness, log, nothing, plain, rows};
use crate::failure::Failure;

/// Customers who send at the same time, so that both appenders have work.
const CUSTOMERS: usize = 4;
/// What is compared most closely is measured in so many turns.
const TURNS: u32 = 8;
/// A stream takes a moment to end, so that its turns are longer.
const STREAM_TURNS: u32 = 2;
/// Customers that must be tried at most until they are spread evenly.
const SIGN_UPS_MAX: usize = 64;
/// The default of `DAYBOOK_PARTITIONS`.
pub(super) const PARTITIONS: u16 = 16;
/// The default of `DAYBOOK_FOLD_DELAY_MS`.
pub(super) const FOLD_DELAY_MS: f64 = 500.0;
const FRESHNESS_SLACK_MS: f64 = 300.0;
const FRESHNESS_PER_S: f64 = 1_000.0;
const FRESHNESS_LASTS_MIN: Duration = Duration::from_secs(5);

/// Measures everything in one run.
pub(super) async fn measure(lasts: Duration, folds: Folds) -> Result<Report, Failure> {
    let dir = tempfile::Builder::new().prefix("daybook-bench-").tempdir();
    let dir = dir.map_err(Failure::io("cannot make a temporary folder"))?;
    let server = Server::start(Options::new(dir.path().join("data"))).await?;
    let figures = measure_on(&server, lasts, folds).await;
    server.stop().await?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let with = vec![
        format!(
            "{cores} cores for clients, Daybook and PostgreSQL {} together; fsync on",
            embedded_postgres::VERSION
        ),
        format!("{} build; each timed part {} s; reports folds {}", build(), lasts.as_secs(), when(folds)),
    ];
    Ok(Report { bench: "ingest", with, figures: figures? })
}

pub(super) const fn build() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

const fn when(folds: Folds) -> &'static str {
    match folds {
        Folds::AtOnce => "what is ingested at the same time",
        Folds::Later => "what is ingested later",
    }
}

async fn measure_on(server: &Server, lasts: Duration, folds: Folds) -> Result<Vec<Figure>, Failure> {
    say("from an acknowledgement to the report");
    let house = House::start(server, "fresh", Folds::AtOnce).await?;
    let address = house.address;
    let fresh = apart(async move {
        freshness::measure(&Owner::sign_up(address).await?.program().await?, lasts.max(FRESHNESS_LASTS_MIN))
            .await
    });
    let fresh = fresh.await;
    house.stop().await;
    let fresh = fresh?;

    say("the log alone");
    let url = new_database(server, "alone").await?;
    let options: PgConnectOptions = url.parse().map_err(database_failure)?;
    let pool = PgPool::connect_with(options.clone()).await.map_err(database_failure)?;
    command_service::MIGRATOR.run(&pool).await.map_err(|error| Failure::Failed(error.to_string()))?;
    let partitions = Partitions::new(PARTITIONS).unwrap_or(Partitions::ONE);
    let alone = log::measure(&EventLog::open(pool, partitions).await?, &options).await?;

    let house = House::start(server, "ingest", folds).await?;
    let stop = CancellationToken::new();
    let idle = Client::of(nothing::serve(stop.clone()).await?)?;
    let over_http = apart(over_http(house.address, idle, partitions, lasts)).await;
    stop.cancel();
    house.stop().await;
    let OverHttp { singles, nothing, batches, streams } = over_http?;

    say("cqrs-es with postgres-es");
    let plain = plain::measure(&url, lasts).await?;

    let limit = ("INSERT … SELECT unnest", alone.limit);
    let rate = "activities/s";
    let single = ("HTTP single posts, 64 connections", singles);
    Ok(vec![
        Figure::new(
            ("append_events, batches of 1,000, 2 connections", alone.append),
            rate,
            limit,
            Target::AtLeast(0.7),
        ),
        Figure::new(("HTTP batches of 1,000", batches), rate, limit, Target::AtLeast(0.3)),
        Figure::new(
            ("HTTP streams of lines, 4 connections", streams),
            rate,
            ("HTTP batches of 1,000", batches),
            Target::AtLeast(0.9),
        ),
        Figure::new(single, rate, ("cqrs-es + postgres-es, 64 tasks", plain), Target::AtLeast(3.0)),
        Figure::new(single, rate, ("a handler that parses only", nothing), Target::AtLeast(0.3)),
        Figure::new(
            ("acknowledged to visible, p99 at 1,000/s", fresh.p99),
            "ms",
            ("fold delay + 300 ms", FOLD_DELAY_MS + FRESHNESS_SLACK_MS),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("activities sent while that was measured", fresh.sent_per_s),
            rate,
            ("as intended", FRESHNESS_PER_S),
            Target::AtLeast(0.95),
        ),
    ])
}

/// Activities a second.
struct OverHttp {
    singles: f64,
    /// Single posts to the handler that does nothing.
    nothing: f64,
    batches: f64,
    streams: f64,
}

/// Single posts and their limit in turn, so that both are measured while the machine is equally fast; then batches and
/// streams in turn.
async fn over_http(
    address: SocketAddr,
    idle: Client,
    partitions: Partitions,
    lasts: Duration,
) -> Result<OverHttp, Failure> {
    stay_on_one_core()?;
    let clients = spread(address, partitions).await?;
    say("HTTP single posts, in turn with a handler that does nothing");
    let (path, connections, turn) = ("/v1/activities", CONNECTIONS / CUSTOMERS, lasts / TURNS);
    let (mut singles, mut nothing) = (0.0, 0.0);
    for _ in 0..TURNS {
        singles += flood(&clients, path, connections, turn, rows::with_id).await? / f64::from(TURNS);
        nothing += idle.flood(path, CONNECTIONS, turn, rows::with_id).await? / f64::from(TURNS);
    }
    say("HTTP batches, in turn with streams");
    let (mut batches, mut streams) = (0.0, 0.0);
    for _ in 0..STREAM_TURNS {
        let turn = lasts / STREAM_TURNS;
        let flooded = flood(&clients, "/v1/activities/batch", 1, turn, rows::batch_body).await?;
        batches += flooded * rows::BATCH as f64 / f64::from(STREAM_TURNS);
        let tasks = clients
            .iter()
            .cloned()
            .map(|client| tokio::spawn(async move { client.stream(turn, rows::lines).await }));
        streams += all(tasks).await?.iter().sum::<f64>() / f64::from(STREAM_TURNS);
    }
    Ok(OverHttp { singles, nothing, batches, streams })
}

/// All customers at once, each over so many connections: acknowledged requests a second.
pub(super) async fn flood(
    clients: &[Client],
    path: &'static str,
    connections: usize,
    lasts: Duration,
    body: fn(usize) -> String,
) -> Result<f64, Failure> {
    let tasks = clients
        .iter()
        .cloned()
        .map(|client| tokio::spawn(async move { client.flood(path, connections, lasts, body).await }));
    Ok(all(tasks).await?.iter().sum())
}

/// Customers whose partitions are spread evenly over the appenders.
pub(super) async fn spread(address: SocketAddr, partitions: Partitions) -> Result<Vec<Client>, Failure> {
    let mut clients: Vec<(u16, Client)> = Vec::new();
    for _ in 0..SIGN_UPS_MAX {
        let owner = Owner::sign_up(address).await?;
        let side = partitions.of(owner.customer).0 % 2;
        if clients.iter().filter(|(other, _)| *other == side).count() < CUSTOMERS / 2 {
            clients.push((side, owner.program().await?));
        }
        if clients.len() == CUSTOMERS {
            return Ok(clients.into_iter().map(|(_, client)| client).collect());
        }
    }
    Err(Failure::Failed(format!("{SIGN_UPS_MAX} customers are not spread over the appenders")))
}

pub(super) fn say(text: &str) {
    eprintln!("bench: {text}");
}
