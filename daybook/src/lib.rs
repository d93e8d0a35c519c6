//! The binary: composes the services in one process or runs one of them, and the operators' commands.
//!
//! Invariants: this is the only crate that knows all services; in one process they still speak HTTP with each other,
//! so that nothing works here that would not work with four processes; one program per data folder; the database ends
//! after everything that writes to it; what a command prints on standard output is its result, and everything else
//! goes to standard error; the exit code is 0 when done, 1 when a check failed, 2 for wrong usage, and 3 when something
//! that is needed is missing or unreachable.

mod bench;
mod cli;
mod commands;
mod composition;
mod databases;
mod demo;
mod documents;
mod failure;
mod files;
mod folder;
mod import;
mod output;
mod progress;
mod signals;
mod system;
mod table;
mod telemetry;
mod up;

use std::process::ExitCode;
use std::time::Duration;

pub use cli::Cli;

/// Longer than a database server that is dropped takes to stop.
const THREADS_LIMIT: Duration = Duration::from_secs(3);

/// Carries out a command and says how it ended.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    files::open_as_many_as_allowed();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("daybook: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    };
    // A thread may be writing to a pipe that is not read; there is nothing to wait for.
    runtime.shutdown_timeout(THREADS_LIMIT);
    code
}
