use crate::failure::Failure;
use crate::output::print;
use crate::system::{System, SystemArguments};
use crate::telemetry::{self, Verbosity};

mod gather;
mod report;
mod table;

/// The arguments of the command.
#[derive(clap::Args)]
#[command(
    after_help = "It ends with 1 if not every event is accounted for, or a relay has stopped.\n\nExamples:\n  daybook status\n  daybook status --json | jq '.projections[] | {name, lag}'"
)]
pub(crate) struct Arguments {
    /// For machines: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    system: SystemArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    let report = System::during(&arguments.system, gather::gather).await?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&report).map_err(|error| Failure::Failed(error.to_string()))?
    } else {
        table::Table(&report).to_string()
    };
    print(text.trim_end())?;
    if report.diverged {
        return Err(Failure::Failed(
            "the log is not the one that was folded; run `daybook rebuild`".to_owned(),
        ));
    }
    if report.is_whole() {
        return Ok(());
    }
    Err(Failure::Failed("something is not as it should be, as said above".to_owned()))
}
