use clap::Subcommand;
use domain::Partition;
use event_bus::BusError;
use event_store::EventLog;

use crate::failure::Failure;
use crate::output::print;
use crate::system::{Database, System, SystemArguments};
use crate::telemetry::{self, Verbosity};

const CONNECTIONS_MAX: u32 = 2;

/// The arguments of the command.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    system: SystemArguments,
}

#[derive(Subcommand)]
enum Action {
    /// Let partitions go on that their relay has stopped
    ///
    /// A relay stops a partition when the log has another event than the one that it published last, or the bus ends with an
    /// event that the log does not have: the log was set back to a backup, or is another one. What it would publish then are
    /// second events of the same positions. If the log is right as it is, this lets the relay go on with it. Consumers of
    /// Daybook throw away what the bus has beside the log; tell others, or give them a new topic. The read models are
    /// mended by `daybook rebuild`.
    #[command(
        after_help = "Examples:\n  daybook relay reset\n  daybook relay reset --log activities --partition 3\n  \
        daybook relay reset --partition 3 --from 0"
    )]
    Reset(Reset),
}

#[derive(clap::Args)]
struct Reset {
    /// Whose log
    #[arg(long, value_name = "LOG", value_enum, default_value_t = Log::Activities)]
    log: Log,
    /// Only this partition; may be given several times. Without it, all that have stopped
    #[arg(long = "partition", value_name = "N")]
    partitions: Vec<u16>,
    /// Publish again what comes after this position; 0 publishes everything. Without it, the relay goes on from where it
    /// stood
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(i64).range(0..))]
    from: Option<i64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Log {
    /// That of activities
    Activities,
    /// That of customers
    Customers,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    let Action::Reset(wanted) = &arguments.action;
    System::during(&arguments.system, async |system: &System| reset(system, wanted).await).await
}

async fn reset(system: &System, wanted: &Reset) -> Result<(), Failure> {
    let database = match wanted.log {
        Log::Activities => Database::Activities,
        Log::Customers => Database::Customers,
    };
    let log = EventLog::open_existing(system.connect(database, CONNECTIONS_MAX).await?).await?;
    let named: Vec<Partition> = wanted.partitions.iter().copied().map(Partition).collect();
    let mut reset = event_bus::reset_relay(&log, &named, wanted.from).await.map_err(failed)?;
    reset.sort_unstable();
    if reset.is_empty() {
        return print(format_args!("no partition of {} has stopped", database.name()));
    }
    for (partition, position) in reset {
        print(format_args!(
            "{} partition {partition} is published from after position {position}",
            database.name()
        ))?;
    }
    Ok(())
}

fn failed(error: BusError) -> Failure {
    match error {
        BusError::Refused(reason) => Failure::Usage(reason),
        BusError::Log(error) => error.into(),
        other => Failure::Failed(other.to_string()),
    }
}
