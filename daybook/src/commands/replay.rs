use std::io::{self, IsTerminal};
use std::pin::pin;
use std::sync::Arc;

use chassis::Time;
use clap::ValueEnum;
use domain::CustomerId;
use event_store::{EventLog, History, LogError, RecordedEvent};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use projection_service::PositionFinder;
use tokio::io::AsyncWriteExt;

use crate::failure::Failure;
use crate::progress;
use crate::system::{Database, System, SystemArguments};
use crate::telemetry::{self, Verbosity};

mod format;
mod plan;

use format::Format;
use plan::Plan;

/// Output is written in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;
const CONNECTIONS_MAX: u32 = 2;

/// What it can be told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  daybook replay --since 2026-11-01 --format csv > november.csv\n  \
    daybook replay --customer 01890a5d-ac96-774b-bcce-b302099a8057 --from 1 --to 100\n  \
    daybook replay --log customers --format table")]
pub(crate) struct Arguments {
    /// Whose log
    #[arg(long, value_name = "LOG", default_value = "activities")]
    log: Log,
    /// Only this customer's events
    #[arg(long, value_name = "ID")]
    customer: Option<CustomerId>,
    /// Only this partition's events
    #[arg(long, value_name = "N")]
    partition: Option<u16>,
    /// From this position on, inclusive; needs --partition or --customer
    #[arg(long, value_name = "POS", value_parser = clap::value_parser!(i64).range(1..))]
    from: Option<i64>,
    /// Up to this position, inclusive; needs --partition or --customer
    #[arg(long, value_name = "POS", value_parser = clap::value_parser!(i64).range(1..))]
    to: Option<i64>,
    /// Recorded at or after this time (RFC 3339), or on this day (UTC) or after it
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Recorded before this time (RFC 3339), or before this day (UTC)
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Only what this actor did
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only activities of this type, before or after a correction
    #[arg(long = "type", value_name = "TYPE")]
    activity_type: Option<String>,
    /// How events are written
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    format: Format,
    #[command(flatten)]
    system: SystemArguments,
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Log {
    /// What users did
    Activities,
    /// Customers, their people and tokens
    Customers,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    Plan::check(&arguments)?;
    System::during(&arguments.system, async |system: &System| replay(system, &arguments).await).await
}

async fn replay(system: &System, arguments: &Arguments) -> Result<(), Failure> {
    let database = match arguments.log {
        Log::Activities => Database::Activities,
        Log::Customers => Database::Customers,
    };
    let log = EventLog::open_existing(system.connect(database, CONNECTIONS_MAX).await?).await?;
    let plan = Plan::of(arguments, log.partitions())?;
    let bar = bar(&log, &plan).await?;
    let history = history(system, log, &plan).await;
    let written = write(plan.events(&history), arguments.format, &bar).await;
    bar.finish_and_clear();
    match written {
        Ok(()) => Ok(()),
        // Whoever read has seen enough.
        Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stopped::Output(error)) => Err(Failure::io("cannot write to standard output")(error)),
        Err(Stopped::Log(error)) => Err(error.into()),
    }
}

/// Reads the log: with what the read model knows, if that can be asked and is any use.
async fn history(system: &System, log: EventLog, plan: &Plan) -> History {
    let history = History::of(log.clone());
    if !plan.is_looking_for_something() {
        return history;
    }
    match system.connect(Database::Reports, CONNECTIONS_MAX).await {
        Ok(pool) => history.with_index(Arc::new(PositionFinder::new(pool, log))),
        // Then everything is read, which only takes longer.
        Err(_) => history,
    }
}

/// Why a replay did not come to its end.
enum Stopped {
    Output(io::Error),
    Log(LogError),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<LogError> for Stopped {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

async fn write(
    events: BoxStream<'_, Result<RecordedEvent, LogError>>,
    format: Format,
    bar: &ProgressBar,
) -> Result<(), Stopped> {
    let mut output = tokio::io::stdout();
    let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
    let mut waiting = 0;
    format.head(&mut piece)?;
    let mut events = pin!(events);
    while let Some(event) = events.try_next().await? {
        format.event(&event, &mut piece)?;
        waiting += 1;
        if piece.len() >= PIECE_BYTES {
            output.write_all(&piece).await?;
            piece.clear();
            bar.inc(std::mem::take(&mut waiting));
        }
    }
    output.write_all(&piece).await?;
    output.flush().await?;
    Ok(())
}

/// Shown where it does not mix with the events.
async fn bar(log: &EventLog, plan: &Plan) -> Result<ProgressBar, Failure> {
    if io::stdout().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    if plan.is_filtered() {
        return Ok(progress::open("events"));
    }
    let heads = log.heads().await?;
    let wanted = heads.iter().filter(|head| plan.partition().is_none_or(|wanted| wanted == head.partition));
    Ok(progress::counted("events", wanted.map(|head| head.position as u64).sum()))
}

impl Plan {
    fn events(self, history: &History) -> BoxStream<'static, Result<RecordedEvent, LogError>> {
        match self {
            Self::Partition { partition, after, filter } => {
                history.replay_partition(partition, after, filter).boxed()
            }
            Self::Whole { filter } => history.replay(filter).boxed(),
        }
    }
}
