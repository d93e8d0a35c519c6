//! What the read side reaches: folding and rebuilding beside reading the same events, what the read model takes, and reports
//! through HTTP.

mod reports;
mod sample;
mod storage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::activity::ActivityEvent;
use domain::{Partition, Partitions};
use embedded_postgres::{Options, Server};
use event_store::EventLog;
use futures::TryStreamExt;
use projection_service::{RebuildOptions, rebuild};
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use super::database_failure;
use super::house::databases;
use super::ingest::{PARTITIONS, build, say};
use super::report::{Figure, Report, Target};
use crate::databases::Databases;
use crate::failure::Failure;
use sample::Sample;

/// The middle one of so many rounds counts.
const ROUNDS: usize = 3;
/// How often it is asked how much memory this process has.
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);
/// How often a query is asked while a new generation takes the place of the live one.
const QUERY_INTERVAL: Duration = Duration::from_millis(1);
const SWAP_MS_MAX: f64 = 50.0;
const MEMORY_MIB_MAX: f64 = 500.0;
/// Customers with few activities, one for so many events.
const EVENTS_PER_SMALL_CUSTOMER: usize = 50;
const ACTIVITIES_OF_A_SMALL_CUSTOMER: usize = 5;
const BYTES_OF_A_SMALL_CUSTOMER: f64 = 1_024.0;
const MIB: f64 = 1_048_576.0;

/// Measures everything in one run, or only reports through HTTP.
pub(super) async fn measure(events: usize, only_reports: bool) -> Result<Report, Failure> {
    let dir = tempfile::Builder::new().prefix("daybook-bench-").tempdir();
    let dir = dir.map_err(Failure::io("cannot make a temporary folder"))?;
    let server = Server::start(Options::new(dir.path().join("data"))).await?;
    let figures = measure_all(&server, events, only_reports).await;
    server.stop().await?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let with = vec![
        format!("{cores} cores for Daybook and PostgreSQL {} together; fsync on", embedded_postgres::VERSION),
        format!("{} build; {events} activities in each log", build()),
    ];
    Ok(Report { bench: "read", with, figures: figures? })
}

async fn measure_all(server: &Server, events: usize, only_reports: bool) -> Result<Vec<Figure>, Failure> {
    let mut figures = if only_reports { Vec::new() } else { measure_on(server, events).await? };
    figures.extend(reports::measure(server, events).await?);
    Ok(figures)
}

async fn measure_on(server: &Server, events: usize) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    say("one customer");
    let one = Bench::filled(server, "one", Sample::one_customer(), events).await?;
    let (copied, decoded) = (one.copy().await?, one.read_and_decode().await?);
    let rebuilt = one.rebuild(1).await?;
    let rate = "events/s";
    figures.push(Figure::new(
        ("fold of one customer, with reading", rebuilt.rate),
        rate,
        ("reading and decoding only", decoded),
        Target::AtLeast(0.3),
    ));
    let copy = ("COPY events TO STDOUT", copied);
    figures.push(Figure::new(("rebuild of one customer", rebuilt.rate), rate, copy, Target::AtLeast(0.25)));
    figures.push(Figure::new(
        ("memory beyond what was before", rebuilt.memory_mib),
        "MiB",
        ("may be", MEMORY_MIB_MAX),
        Target::AtMost(1.0),
    ));
    figures.push(Figure::new(
        ("longest query while it is swapped", rebuilt.longest_query_ms),
        "ms",
        ("may be", SWAP_MS_MAX),
        Target::AtMost(1.0),
    ));
    let (log, read_model) = (storage::log_bytes(&one.log_pool).await?, one.read_model_bytes().await?);
    figures.push(Figure::new(
        ("read model of one customer", read_model / MIB),
        "MiB",
        ("log", log / MIB),
        Target::AtMost(0.1),
    ));
    one.drop(server).await?;

    say("customers in all partitions");
    let all = Bench::filled(server, "all", Sample::all_partitions(), events).await?;
    let (copied, rebuilt) = (all.copy().await?, all.rebuild(2).await?);
    let copy = ("COPY events TO STDOUT", copied);
    figures.push(Figure::new(("rebuild of all partitions", rebuilt.rate), rate, copy, Target::AtLeast(0.35)));
    all.drop(server).await?;

    let customers = (events / EVENTS_PER_SMALL_CUSTOMER).max(1);
    say("many customers with few activities each");
    let small = Sample::small_customers(customers);
    let small = Bench::filled(server, "small", small, customers * ACTIVITIES_OF_A_SMALL_CUSTOMER).await?;
    small.rebuild(2).await?;
    figures.push(Figure::new(
        ("a customer with five activities", small.read_model_bytes().await? / customers as f64),
        "bytes",
        ("may be", BYTES_OF_A_SMALL_CUSTOMER),
        Target::AtMost(1.0),
    ));
    small.drop(server).await?;
    Ok(figures)
}

/// A log with a read model.
struct Bench {
    log_pool: PgPool,
    reports: PgPool,
    log: EventLog,
    events: usize,
    names: Databases,
}

/// What a rebuild has shown.
struct RebuildFigures {
    /// Events a second, from its beginning until its generation is live.
    rate: f64,
    memory_mib: f64,
    longest_query_ms: f64,
}

impl Bench {
    async fn filled(server: &Server, name: &str, sample: Sample, events: usize) -> Result<Self, Failure> {
        let names = databases(server, name).await?;
        let connect = async |url: &str| PgPool::connect(url).await.map_err(database_failure);
        let (log_pool, reports) = (connect(&names.activities).await?, connect(&names.reports).await?);
        let migrated = |error: sqlx::migrate::MigrateError| Failure::Failed(error.to_string());
        command_service::MIGRATOR.run(&log_pool).await.map_err(migrated)?;
        projection_service::MIGRATOR.run(&reports).await.map_err(migrated)?;
        let log =
            EventLog::open(log_pool.clone(), Partitions::new(PARTITIONS).unwrap_or(Partitions::ONE)).await?;
        sample.append(&log_pool, log.partitions(), events).await?;
        sqlx::query("VACUUM (ANALYZE) events").execute(&log_pool).await.map_err(database_failure)?;
        Ok(Self { log_pool, reports, log, events, names })
    }

    async fn drop(self, server: &Server) -> Result<(), Failure> {
        self.log_pool.close().await;
        self.reports.close().await;
        storage::drop_databases(server, &self.names).await
    }

    /// Events a second that PostgreSQL itself sends.
    async fn copy(&self) -> Result<f64, Failure> {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let statement = "COPY events TO STDOUT";
            let mut rows = self.log_pool.copy_out_raw(statement).await.map_err(database_failure)?;
            while rows.try_next().await.map_err(database_failure)?.is_some() {}
            rates.push(self.events as f64 / began.elapsed().as_secs_f64());
        }
        Ok(super::median(&mut rates))
    }

    /// Events a second that are read in bulk and decoded, and nothing else.
    async fn read_and_decode(&self) -> Result<f64, Failure> {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let (began, mut decoded) = (Instant::now(), 0_usize);
            for head in self.log.heads().await? {
                let mut reader = self.log.read_bulk(head.partition, 0, head.position).await?;
                while let Some(page) = reader.next().await? {
                    for event in page.events()? {
                        let activity: ActivityEvent =
                            event.decode().map_err(|error| Failure::Failed(error.to_string()))?;
                        decoded += usize::from(matches!(activity, ActivityEvent::ActivityRecorded(_)));
                    }
                }
            }
            rates.push(decoded as f64 / began.elapsed().as_secs_f64());
        }
        Ok(super::median(&mut rates))
    }

    async fn rebuild(&self, parallel: usize) -> Result<RebuildFigures, Failure> {
        let (mut rates, mut memory_mib, mut longest_query_ms) = (Vec::new(), 0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            let before = storage::resident_bytes();
            let watch = Watch::start(self.reports.clone());
            let began = Instant::now();
            let options = RebuildOptions { verify: false, parallel, load_max: None };
            let rebuilt = rebuild(&self.reports, &self.log, options, |_| {}).await;
            let took = began.elapsed();
            let (resident, longest) = watch.end().await;
            rebuilt.map_err(|error| Failure::Failed(error.to_string()))?;
            rates.push(self.events as f64 / took.as_secs_f64());
            memory_mib = memory_mib.max(resident.saturating_sub(before) as f64 / MIB);
            longest_query_ms = longest_query_ms.max(longest.as_secs_f64() * 1e3);
        }
        Ok(RebuildFigures { rate: super::median(&mut rates), memory_mib, longest_query_ms })
    }

    /// Of the live generation.
    async fn read_model_bytes(&self) -> Result<f64, Failure> {
        storage::read_model_bytes(&self.reports).await
    }
}

/// Looks at the memory of this process and at how long a query takes, until it is told to end.
struct Watch {
    ended: Arc<AtomicBool>,
    resident: Arc<AtomicU64>,
    memory: tokio::task::JoinHandle<()>,
    queries: tokio::task::JoinHandle<Duration>,
}

impl Watch {
    fn start(reports: PgPool) -> Self {
        let (ended, resident) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (until, most) = (Arc::clone(&ended), Arc::clone(&resident));
        let memory = tokio::spawn(async move {
            while !until.load(Ordering::Relaxed) {
                most.fetch_max(storage::resident_bytes(), Ordering::Relaxed);
                tokio::time::sleep(MEMORY_INTERVAL).await;
            }
        });
        let until = Arc::clone(&ended);
        let queries = tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let began = Instant::now();
                // As every query begins.
                let live = sqlx::query(
                    "SELECT p.live_generation, c.position FROM projections p
                       JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
                      WHERE c.partition = $1",
                );
                if live.bind(i32::from(Partition(0).0)).fetch_optional(&reports).await.is_ok() {
                    longest = longest.max(began.elapsed());
                }
                tokio::time::sleep(QUERY_INTERVAL).await;
            }
            longest
        });
        Self { ended, resident, memory, queries }
    }

    /// The most bytes, and the longest query.
    async fn end(self) -> (u64, Duration) {
        self.ended.store(true, Ordering::Relaxed);
        // They end by themselves now.
        let _ = self.memory.await;
        let longest = self.queries.await.unwrap_or_default();
        (self.resident.load(Ordering::Relaxed), longest)
    }
}
