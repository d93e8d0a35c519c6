//! What the read side reaches: folding and rebuilding beside reading the same events, what the read model takes, what ingest,
//! fold, rebuild and queries do to each other, and reports through HTTP.

mod beside;
mod busy;
mod folding;
mod lag;
mod log;
mod processor_time;
mod rebuilding;
mod reports;
mod sample;
mod storage;
mod watch;

use embedded_postgres::{Options, Server};

use self::log::FilledLog;
use super::ingest::{build, say};
use super::median;
use super::report::{Figure, Report, Target};
use crate::failure::Failure;
use processor_time::ProcessorTime;
use rebuilding::{Rebuilt, rebuild_once};
use sample::Sample;

/// The middle one of so many rounds counts.
const ROUNDS: usize = 3;
/// With more events than these, one round lasts long enough.
const EVENTS_OF_ROUNDS_MAX: usize = 2_000_000;
/// Customers in all partitions have no more events than these: what is asked there is what the cores do together.
const EVENTS_OF_ALL_PARTITIONS_MAX: usize = 2_000_000;
const SWAP_MS_MAX: f64 = 50.0;
const MEMORY_MIB_MAX: f64 = 500.0;
/// Customers with few activities: one for so many events, and at most so many.
const EVENTS_PER_SMALL_CUSTOMER: usize = 50;
const SMALL_CUSTOMERS_MAX: usize = 100_000;
const ACTIVITIES_OF_A_SMALL_CUSTOMER: usize = 5;
const BYTES_OF_A_SMALL_CUSTOMER: f64 = 1_024.0;
const MIB: f64 = 1_048_576.0;
const RATE: &str = "events/s";
const COPY: &str = "COPY events TO STDOUT";

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
        format!("{} build; {events} activities of one customer, {} round(s)", build(), rounds(events)),
    ];
    Ok(Report { bench: "read", with, figures: figures? })
}

async fn measure_all(server: &Server, events: usize, only_reports: bool) -> Result<Vec<Figure>, Failure> {
    let mut figures = if only_reports { Vec::new() } else { measure_on(server, events).await? };
    figures.extend(reports::measure(server, events).await?);
    Ok(figures)
}

const fn rounds(events: usize) -> usize {
    if events > EVENTS_OF_ROUNDS_MAX { 1 } else { ROUNDS }
}

async fn measure_on(server: &Server, events: usize) -> Result<Vec<Figure>, Failure> {
    let mut figures = one_customer(server, events).await?;
    figures.extend(all_partitions(server, events.min(EVENTS_OF_ALL_PARTITIONS_MAX)).await?);
    figures.extend(small_customers(server, events).await?);
    figures.extend(busy::measure(server).await?);
    Ok(figures)
}

async fn one_customer(server: &Server, events: usize) -> Result<Vec<Figure>, Failure> {
    say("one customer: its log");
    let log = FilledLog::new(server, "one", Sample::one_customer(), events).await?;
    let (mut copied, mut decoded, mut decoding_us) = (Vec::new(), Vec::new(), Vec::new());
    let (mut folded, mut folding_us, mut rebuilt) = (Vec::new(), Vec::new(), Vec::new());
    let processor = ProcessorTime::of(&log.reports).await?;
    for round in 0..rounds(events) {
        say("COPY, decoding, folding, and rebuilding");
        copied.push(log.copy().await?);
        let used = processor.used()?;
        decoded.push(log.read_and_decode().await?);
        decoding_us.push(processor.used()?.saturating_sub(used).as_secs_f64() * 1e6 / events as f64);
        let fold = folding::fold(server, &log, round).await?;
        folded.push(fold.per_s);
        folding_us.push(fold.processor_us);
        rebuilt.push(rebuild_once(&log, 1).await?);
    }
    let decoding = "only reading and decoding the same events";
    let mut figures = vec![
        Figure::new(
            ("fold of new activities", median(&mut folded)),
            RATE,
            (decoding, median(&mut decoded)),
            Target::AtLeast(0.3),
        ),
        Figure::new(
            ("processor time of that fold", median(&mut folding_us)),
            "µs/event",
            (decoding, median(&mut decoding_us)),
            Target::Any,
        ),
    ];
    figures.extend(rebuild_figures(&mut rebuilt, median(&mut copied)));
    let (log_bytes, bytes) =
        (storage::log_bytes(log.log.pool()).await?, storage::read_model_bytes(&log.reports).await?);
    figures.push(Figure::new(
        ("read model of one customer", bytes / MIB),
        "MiB",
        ("its log", log_bytes / MIB),
        Target::AtMost(0.1),
    ));
    log.drop(server).await?;
    Ok(figures)
}

fn rebuild_figures(rebuilt: &mut [Rebuilt], copied: f64) -> Vec<Figure> {
    let middle = |of: fn(&Rebuilt) -> f64| median(&mut rebuilt.iter().map(of).collect::<Vec<_>>());
    let first = ("in its first fifth", middle(|rebuilt| rebuilt.first_per_s));
    vec![
        Figure::new(
            ("rebuild of one customer", middle(|rebuilt| rebuilt.per_s)),
            RATE,
            (COPY, copied),
            Target::AtLeast(0.25),
        ),
        Figure::new(
            ("the same in its last fifth", middle(|rebuilt| rebuilt.last_per_s)),
            RATE,
            first,
            Target::AtLeast(0.9),
        ),
        Figure::new(
            ("memory of the whole process meanwhile", middle(|rebuilt| rebuilt.memory_mib)),
            "MiB",
            ("may be", MEMORY_MIB_MAX),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("the longest query meanwhile, swap included", middle(|rebuilt| rebuilt.longest_query_ms)),
            "ms",
            ("may be", SWAP_MS_MAX),
            Target::AtMost(1.0),
        ),
    ]
}

async fn all_partitions(server: &Server, events: usize) -> Result<Vec<Figure>, Failure> {
    say("customers in all partitions");
    let log = FilledLog::new(server, "all", Sample::all_partitions(), events).await?;
    let (mut copied, mut rebuilt) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        copied.push(log.copy().await?);
        rebuilt.push(rebuild_once(&log, 2).await?.per_s);
    }
    log.drop(server).await?;
    let copy = (COPY, median(&mut copied));
    let rebuilt = ("rebuild of all partitions", median(&mut rebuilt));
    Ok(vec![Figure::new(rebuilt, RATE, copy, Target::AtLeast(0.35))])
}

async fn small_customers(server: &Server, events: usize) -> Result<Vec<Figure>, Failure> {
    say("many customers with few activities each");
    let customers = (events / EVENTS_PER_SMALL_CUSTOMER).clamp(1, SMALL_CUSTOMERS_MAX);
    let sample = Sample::small_customers(customers);
    let log = FilledLog::new(server, "small", sample, customers * ACTIVITIES_OF_A_SMALL_CUSTOMER).await?;
    let may_be = ("may be", BYTES_OF_A_SMALL_CUSTOMER);
    let live = folding::bytes(server, &log).await? / customers as f64;
    rebuild_once(&log, 2).await?;
    let rebuilt = storage::read_model_bytes(&log.reports).await? / customers as f64;
    log.drop(server).await?;
    let live = ("a customer with five activities, as folded", live);
    let rebuilt = ("the same after a rebuild", rebuilt);
    Ok(vec![
        Figure::new(live, "bytes", may_be, Target::AtMost(1.0)),
        Figure::new(rebuilt, "bytes", may_be, Target::AtMost(1.0)),
    ])
}
