use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use event_store::EventLog;
use indicatif::{MultiProgress, ProgressBar};
use projection_service::{Progress, RebuildError, RebuildOptions, RebuildOutcome, Rebuilt};

use crate::failure::Failure;
use crate::output::print;
use crate::progress;
use crate::system::{Database, System, SystemArguments};
use crate::telemetry::{self, Verbosity};

/// Differences that are printed; more are counted.
const DIFFERENCES_SHOWN: usize = 20;
/// Beside those that fold.
const CONNECTIONS_MORE: u32 = 4;

/// What it can be told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  daybook rebuild\n  daybook rebuild --projection activity --verify")]
pub(crate) struct Arguments {
    /// Only this projection; may be given several times
    #[arg(long = "projection", value_name = "NAME")]
    projections: Vec<String>,
    /// Compare the result with what is live, row by row, and end with 1 if they differ
    #[arg(long)]
    verify: bool,
    /// How many partitions are folded at the same time
    #[arg(long, value_name = "N", default_value = "1")]
    parallel: NonZeroUsize,
    #[command(flatten)]
    system: SystemArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    let rebuilding = async |system: &System| rebuild(system, &arguments).await;
    let outcome = System::during(&arguments.system, rebuilding).await?;
    report(&outcome)
}

async fn rebuild(system: &System, arguments: &Arguments) -> Result<RebuildOutcome, Failure> {
    let parallel = arguments.parallel.get();
    let connections = u32::try_from(parallel).unwrap_or(u32::MAX).saturating_add(CONNECTIONS_MORE);
    let reports = system.connect(Database::Reports, connections).await?;
    let log = EventLog::open_existing(system.connect(Database::Activities, connections).await?).await?;
    let options =
        RebuildOptions { projections: arguments.projections.clone(), verify: arguments.verify, parallel };
    let bars = Bars::default();
    let outcome = projection_service::rebuild(&reports, &log, options, |progress| bars.show(&progress)).await;
    bars.clear();
    outcome.map_err(failed)
}

fn failed(error: RebuildError) -> Failure {
    match error {
        RebuildError::Unknown { .. } => Failure::Usage(error.to_string()),
        RebuildError::Busy { .. } => Failure::Failed(error.to_string()),
        other => {
            Failure::Failed(format!("the rebuild failed, and the live read models are untouched: {other}"))
        }
    }
}

/// A bar for each projection.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn show(&self, progress: &Progress) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let name = progress.projection.to_string();
        let bar =
            bars.entry(name).or_insert_with_key(|name| self.all.add(progress::counted(name, progress.total)));
        bar.set_length(progress.total);
        bar.set_position(progress.folded);
    }

    fn clear(&self) {
        // A terminal that is gone needs no clearing.
        let _ = self.all.clear();
    }
}

fn report(outcome: &RebuildOutcome) -> Result<(), Failure> {
    let mut different = 0;
    for Rebuilt { name, events, generation, differences } in &outcome.projections {
        print(format_args!("{name:<14} {events} events folded, generation {generation} is live"))?;
        let Some(differences) = differences else { continue };
        different += differences.len();
        match differences.len() {
            0 => print(format_args!("{:<14} equal to what was live, row by row", ""))?,
            many => print(format_args!("{:<14} {many} differences from what was live:", ""))?,
        }
        for difference in differences.iter().take(DIFFERENCES_SHOWN) {
            print(format_args!("  {difference}"))?;
        }
        if differences.len() > DIFFERENCES_SHOWN {
            print(format_args!("  … and {} more", differences.len() - DIFFERENCES_SHOWN))?;
        }
    }
    if different == 0 {
        return Ok(());
    }
    Err(Failure::Failed(format!("the rebuilt read models differ from the live ones in {different} places")))
}
