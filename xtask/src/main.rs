//! The two commands of a newcomer, `cargo xtask up` and `cargo xtask test`, and the upkeep of generated files.
//!
//! Invariants:
//! * Every step has a heading, a time limit and a duration, and its output streams through.
//! * A check that cannot run is a failure.
//! * Ctrl-C and the end of a time limit stop a step with everything that it has started.
//! * Nothing is installed that is there, and nothing at all unless we are root.

mod build;
mod frontend;
mod interrupt;
mod keys;
mod openapi;
mod process;
mod pulsar;
mod python;
mod server;
mod sqlx;
mod steps;
mod test;
mod tools;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets up, runs and checks Daybook.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build everything, and run `daybook up`
    ///
    /// As root, missing Debian packages are installed; otherwise one line says what to install. A second time, only
    /// what has changed is built again.
    Up(up::Arguments),
    /// Run every check, or the end-to-end tests of some parts
    ///
    /// Format, lints, generated files, unit and integration tests against a PostgreSQL and a Pulsar broker of their own, the whole stack
    /// and the browser. Ends with a table, and with exit code 1 if anything failed or could not run.
    Test(test::Arguments),
    /// Refresh the `.sqlx` folders, by which SQL is checked without a database
    ///
    /// Applies the migrations to scratch databases and compiles every crate that has checked SQL against its own.
    Sqlx(sqlx::Arguments),
    /// Write docs/openapi.json from the code, and the frontend's client from it
    Openapi,
    /// Write each .env.example and the tables of docs/operations.md from the code that reads the configuration
    Keys,
    /// Start an Apache Pulsar broker and run it until Ctrl-C
    ///
    /// Maven resolves it once per machine. Prints its addresses when it is healthy.
    Pulsar(pulsar::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = sqlx::compile_as_wrapper() {
        return code;
    }
    interrupt::listen();
    match Arguments::parse().task {
        Task::Up(arguments) => up::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Sqlx(arguments) => sqlx::run(&arguments),
        Task::Openapi => openapi::run(),
        Task::Keys => keys::run(),
        Task::Pulsar(arguments) => pulsar::run(&arguments),
    }
}
