//! The benchmarks: each figure stands beside the limit that it is compared with, measured in the same run.
//!
//! They run on a PostgreSQL of their own in a temporary folder, and touch no data folder.

mod bus;
mod client;
mod freshness;
mod house;
mod ingest;
mod log;
mod nothing;
mod owner;
mod plain;
mod processor;
mod read;
mod report;
mod rows;
mod token;

use std::time::Duration;

use clap::Subcommand;

use crate::failure::Failure;

/// Connections, or tasks, that post single activities.
const CONNECTIONS: usize = 64;

/// Measures, beside the limit of what is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// How fast activities become durable, and how soon they are in a report
    ///
    /// The log alone beside a bare INSERT of the same rows, HTTP beside the same limit, single posts beside cqrs-es with
    /// postgres-es used plainly and beside a handler that does nothing, and the time from an acknowledgement to the
    /// report beside the fold delay. Takes about a minute.
    Ingest(Ingest),
    /// How fast the read model is folded and built again, and what it takes
    ///
    /// Folding beside only reading and decoding the same events, a rebuild beside COPY of the log, for one customer and for
    /// customers in all partitions; the memory that it takes, how long a query waits while the new read model takes the place
    /// of the live one, and the size of the read model beside that of the log. Then every report through HTTP, beside SQL
    /// over a plain table. Takes some minutes.
    Read(Read),
    /// What tokens cost at the edge, and what floods and revocations do
    ///
    /// A validation that is in the cache, a thousand first uses of one token, a flood of bad tokens and one of another
    /// customer beside good traffic, and revocations at four edges. Takes about a minute.
    Token(Token),
    /// What a Pulsar broker between the services costs, and how soon activities are in a report through it
    ///
    /// The relay and a subscription as reports has it, end to end, beside a bare producer and consumer of the client library
    /// with the same messages on the same broker; the processor time of the relay; and the time from an acknowledgement to
    /// the report at 2,000 activities a second. Makes a namespace of its own for each part, whose messages the broker keeps
    /// for an hour. The environment says how to get in, as for the services. Takes about two minutes.
    Bus(Bus),
}

/// How to measure.
#[derive(clap::Args)]
struct Read {
    /// How many activities the logs have
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000))]
    events: u32,
    /// Measure only reports through HTTP
    #[arg(long)]
    only_reports: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a figure misses its target
    #[arg(long)]
    check: bool,
}

/// How to measure.
#[derive(clap::Args)]
struct Ingest {
    /// How long each of the timed parts lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Let reports fold what is ingested at the same time, on the same cores
    #[arg(long)]
    folding: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a figure misses its target
    #[arg(long)]
    check: bool,
}

/// How to measure.
#[derive(clap::Args)]
struct Token {
    /// How long each of the timed parts lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a figure misses its target
    #[arg(long)]
    check: bool,
}

/// How to measure.
#[derive(clap::Args)]
struct Bus {
    /// The broker: pulsar://HOST:PORT
    #[arg(long, value_name = "URL")]
    pulsar: String,
    /// Its administration, which makes the topics: http://HOST:PORT
    #[arg(long, value_name = "URL")]
    pulsar_admin: String,
    /// How many events are carried in each round
    #[arg(long, value_name = "EVENTS", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(16_000..=5_000_000))]
    events: u32,
    /// How long freshness is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a figure misses its target
    #[arg(long)]
    check: bool,
}

/// Runs a benchmark and prints what it found out.
///
/// # Errors
/// What kept it from measuring, or a missed target if that was asked for.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        eprintln!("bench: this is a debug build; its figures say nothing about a release build");
    }
    match arguments.bench {
        Bench::Ingest(how) => {
            let folds = if how.folding { house::Folds::AtOnce } else { house::Folds::Later };
            let report = ingest::measure(Duration::from_secs(how.seconds), folds).await?;
            print_report(&report, how.json, how.check)
        }
        Bench::Read(how) => {
            let report = read::measure(how.events as usize, how.only_reports).await?;
            print_report(&report, how.json, how.check)
        }
        Bench::Token(how) => {
            let report = token::measure(Duration::from_secs(how.seconds)).await?;
            print_report(&report, how.json, how.check)
        }
        Bench::Bus(how) => {
            let broker = bus::Broker::named(&how.pulsar, &how.pulsar_admin)?;
            let report = bus::measure(&broker, how.events as usize, Duration::from_secs(how.seconds)).await?;
            print_report(&report, how.json, how.check)
        }
    }
}

fn print_report(report: &report::Report, json: bool, check: bool) -> Result<(), Failure> {
    if json {
        let json =
            serde_json::to_string_pretty(report).map_err(|error| Failure::Failed(error.to_string()))?;
        println!("{json}");
    } else {
        println!("{}", report.to_table());
    }
    if check && !report.is_met() {
        return Err(Failure::Failed("a figure misses its target".to_owned()));
    }
    Ok(())
}

fn database_failure(error: sqlx::Error) -> Failure {
    Failure::missing("the benchmark's database", error)
}

/// The first one above 99 of 100.
fn p99(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * 99 / 100).copied().unwrap_or(0.0)
}

/// The middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
