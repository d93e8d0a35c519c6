//! A Pulsar broker for as long as it is needed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use local_broker::{Broker, Error, Installation, Options, VERSION};

use crate::interrupt;
use crate::process::Failure;
use crate::steps::Steps;
use crate::tools::{self, Tool};

const POLL: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where clients connect; 0 takes any free port
    #[arg(long, default_value_t = 6650)]
    port: u16,
    /// Where administration and health are; 0 takes any free port
    #[arg(long, value_name = "PORT", default_value_t = 8180)]
    web_port: u16,
    /// What the broker keeps; without it, nothing is kept
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Starts a broker and runs it until Ctrl-C.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut steps = Steps::default();
    let mut broker = None;
    let options = Options {
        port: arguments.port,
        web_port: arguments.web_port,
        dir: arguments.data_dir.clone(),
        ..Options::default()
    };
    let is_up = steps.step("tools", || tools::ensure(&[Tool::Java, Tool::Maven]))
        && steps.step("Pulsar", || {
            broker = Some(start(options)?);
            Ok(())
        });
    let (true, Some(mut broker)) = (is_up, broker) else { return ExitCode::FAILURE };
    println!("Apache Pulsar {VERSION}");
    println!("  clients         {}", broker.url());
    println!("  administration  {}", broker.web_url());
    println!("  daybook up --pulsar {} --pulsar-admin {}", broker.url(), broker.web_url());
    println!("Ctrl-C stops it.");
    while !interrupt::requested() {
        if broker.has_ended() {
            eprintln!(
                "the broker ended by itself; it says why in {}",
                broker.dir().join("broker.log").display()
            );
            return ExitCode::FAILURE;
        }
        thread::sleep(POLL);
    }
    drop(broker);
    ExitCode::SUCCESS
}

/// A broker for a step.
pub(crate) fn start(options: Options) -> Result<Broker, Failure> {
    let installation = Installation::ensure(&interrupt::requested).map_err(could_not_run)?;
    Broker::start(&installation, options, &interrupt::requested).map_err(could_not_run)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn could_not_run(error: Error) -> Failure {
    Failure::CouldNotRun(error.to_string())
}
