//! The program `daybook`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    daybook::run(daybook::Cli::parse())
}
