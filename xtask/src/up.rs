use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::steps::Steps;
use crate::tools::{self, Tool};
use crate::{build, frontend, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build without optimization: faster to build, slower to run
    #[arg(long)]
    debug: bool,
    /// What `daybook up` is to be told, such as --demo
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut steps = Steps::default();
    let built = steps.step("tools", || tools::ensure(&[Tool::CCompiler, Tool::Node, Tool::Protoc]))
        && steps.step("frontend: packages", frontend::install)
        && steps.step("frontend: build", frontend::build)
        && steps.step("daybook: build", || build::build_binary(arguments.debug));
    if !built {
        return ExitCode::FAILURE;
    }
    let profile = if arguments.debug { "debug" } else { "release" };
    eprintln!("\n==> daybook up");
    // It takes our place, so that Ctrl-C and its exit code are its own.
    let error = Command::new(workspace::daybook(profile)).arg("up").args(&arguments.arguments).exec();
    eprintln!("cannot start daybook: {error}");
    ExitCode::FAILURE
}
