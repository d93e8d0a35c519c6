use std::num::NonZeroUsize;
use std::sync::Arc;

use event_store::EventLog;
use projection_service::{Differences, Progress, RebuildError, RebuildOptions, Rebuilt};
use sqlx::PgPool;

use crate::failure::Failure;
use crate::output::print;
use crate::progress;
use crate::system::{Database, System, SystemArguments};
use crate::telemetry::{self, Verbosity};

/// Beside those that fold.
const CONNECTIONS_MORE: u32 = 4;

/// The arguments of the command.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  daybook rebuild\n  daybook rebuild --verify --parallel 2 --max-load 4\n  daybook rebuild --rollback"
)]
pub(crate) struct Arguments {
    /// Compare the result with what is live, row by row, and end with 1 if they differ
    #[arg(long, conflicts_with = "rollback")]
    verify: bool,
    /// How many partitions are folded at the same time
    #[arg(long, value_name = "N", default_value = "1")]
    parallel: NonZeroUsize,
    /// Wait while the machine's load average is above N, or the live fold is behind
    #[arg(long, value_name = "N", value_parser = load)]
    max_load: Option<f64>,
    /// Go back to the generation before, caught up with what was recorded since
    #[arg(long)]
    rollback: bool,
    #[command(flatten)]
    system: SystemArguments,
}

fn load(text: &str) -> Result<f64, String> {
    let load: f64 = text.parse().map_err(|_| "a load average is a number, as 4 or 1.5".to_owned())?;
    if load.is_finite() && load > 0.0 { Ok(load) } else { Err("a load average is more than 0".to_owned()) }
}

/// What was done.
enum Done {
    Rebuilt(Rebuilt),
    RolledBack(i32),
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    let working = async |system: &System| work(system, &arguments).await;
    match System::during(&arguments.system, working).await? {
        Done::Rebuilt(rebuilt) => report(&rebuilt),
        Done::RolledBack(generation) => print(format_args!("generation {generation} is live again")),
    }
}

async fn work(system: &System, arguments: &Arguments) -> Result<Done, Failure> {
    let parallel = arguments.parallel.get();
    let connections = u32::try_from(parallel).unwrap_or(u32::MAX).saturating_add(CONNECTIONS_MORE);
    let reports: PgPool = system.connect(Database::Reports, connections).await?;
    let log = EventLog::open_existing(system.connect(Database::Activities, connections).await?).await?;
    let options = RebuildOptions { verify: arguments.verify, parallel, load_max: arguments.max_load };
    let bar = Arc::new(progress::counted("activities", 0));
    let shown = Arc::clone(&bar);
    let show = move |progress: Progress| {
        shown.set_length(progress.total);
        shown.set_position(progress.folded);
        shown.set_message(progress.paused.map_or_else(String::new, |why| format!("waits: {why}")));
    };
    let outcome = if arguments.rollback {
        projection_service::roll_back(&reports, &log, options, show).await.map(Done::RolledBack)
    } else {
        projection_service::rebuild(&reports, &log, options, show).await.map(Done::Rebuilt)
    };
    bar.finish_and_clear();
    outcome.map_err(failed)
}

fn failed(error: RebuildError) -> Failure {
    match error {
        RebuildError::Busy
        | RebuildError::NoPrevious
        | RebuildError::OtherVersion { .. }
        | RebuildError::Diverged { .. } => Failure::Failed(error.to_string()),
        other => Failure::Failed(format!(
            "the rebuild failed, and the live read model is untouched: {other}. The next one goes on where it stopped, if it can"
        )),
    }
}

fn report(rebuilt: &Rebuilt) -> Result<(), Failure> {
    let Rebuilt { events, resumed, generation, differences } = rebuilt;
    print(format_args!("activities: {events} events folded, generation {generation} is live"))?;
    if *resumed > 0 {
        print(format_args!("{resumed} of them had been folded by a rebuild that was broken off"))?;
    }
    let Some(Differences { examples, count }) = differences else { return Ok(()) };
    if *count == 0 {
        return print(format_args!("equal to what was live, row by row"));
    }
    for example in examples {
        print(format_args!("  {example}"))?;
    }
    if *count > examples.len() as u64 {
        print(format_args!("  … and {} more", count - examples.len() as u64))?;
    }
    Err(Failure::Failed(format!("the rebuilt read model differs from the live one in {count} places")))
}
