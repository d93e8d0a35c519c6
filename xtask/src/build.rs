//! What cargo builds and checks.

use std::process::Command;
use std::time::Duration;

use crate::frontend;
use crate::process::{self, Failure};
use crate::steps::Steps;
use crate::tools::{self, Tool};
use crate::workspace::cargo;

const FORMAT_LIMIT: Duration = Duration::from_mins(2);
const CLIPPY_LIMIT: Duration = Duration::from_mins(25);
const BUILD_LIMIT: Duration = Duration::from_mins(30);

pub(crate) fn check_format() -> Result<(), Failure> {
    process::run(cargo().args(["fmt", "--all", "--check"]), FORMAT_LIMIT)
}

pub(crate) fn check_lints() -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    process::run(&mut command, CLIPPY_LIMIT)
}

/// The binary and the tests, in one go and as the whole workspace: which features a dependency has depends on what
/// else is built with it, so that building the binary alone first would build most of it twice.
pub(crate) fn build_everything() -> Result<(), Failure> {
    build(cargo().args(["build", "--workspace", "--lib", "--bins", "--tests", "--examples"]))
}

/// The binary and the tests of the whole stack.
pub(crate) fn build_stack() -> Result<(), Failure> {
    build(cargo().args(["build", "--workspace", "--bin", "daybook", "--test", "stack"]))
}

/// The steps up to a binary for what is made by it; returns whether all of them succeeded.
pub(crate) fn build_from_nothing(steps: &mut Steps) -> bool {
    steps.step("tools", || tools::ensure(&[Tool::CCompiler, Tool::Node, Tool::Protoc]))
        && steps.step("frontend: packages", frontend::install)
        && steps.step("frontend: build", frontend::build)
        && steps.step("daybook: build", || build_binary(true))
}

/// The binary for a user.
pub(crate) fn build_binary(debug: bool) -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["build", "--package", "daybook"]);
    if !debug {
        command.arg("--release");
    }
    build(&mut command)
}

/// One of the platform's examples, which serve here as tools; it lies in `target/debug/examples`.
pub(crate) fn build_tool(name: &str) -> Result<(), Failure> {
    build(cargo().args(["build", "--package", "embedded-postgres", "--example", name]))
}

fn build(command: &mut Command) -> Result<(), Failure> {
    process::run(command, BUILD_LIMIT)
}
