//! Steps one after another, each with a heading and a duration, and a table of all of them at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::interrupt;
use crate::process::Failure;

/// The exit code of a shell for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// The steps so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    result: Result<(), Failure>,
}

impl Steps {
    /// Does a step and returns whether it succeeded.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), Failure>) -> bool {
        eprintln!("\n==> {name}");
        let began = Instant::now();
        let result =
            if interrupt::requested() { Err(Failure::CouldNotRun("interrupted".into())) } else { work() };
        let took = began.elapsed();
        match &result {
            Ok(()) => eprintln!("==> {name}: ok, {}", seconds(took)),
            Err(failure) => eprintln!("==> {name}: {}: {failure}, {}", verdict(&result), seconds(took)),
        }
        let succeeded = result.is_ok();
        self.done.push(Step { name, took, result });
        succeeded
    }

    /// Does a step that makes sense only after another: `needed` says whether that one succeeded, `what` names it.
    pub(crate) fn step_after(
        &mut self,
        needed: bool,
        what: &'static str,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> bool {
        self.step(name, || if needed { work() } else { Err(Failure::CouldNotRun(format!("needs: {what}"))) })
    }

    /// Prints the table and returns the exit code of all of them.
    pub(crate) fn finish(self) -> ExitCode {
        let width = self.done.iter().map(|step| step.name.len()).max().unwrap_or(0);
        eprintln!("\n{:width$}  {:>9}  result", "step", "duration");
        for step in &self.done {
            eprint!("{:width$}  {:>9}  {}", step.name, seconds(step.took), verdict(&step.result));
            match &step.result {
                Ok(()) => eprintln!(),
                Err(failure) => eprintln!(": {failure}"),
            }
        }
        let bad = self.done.iter().filter(|step| step.result.is_err()).count();
        if interrupt::requested() {
            ExitCode::from(INTERRUPTED)
        } else if bad > 0 {
            eprintln!("\n{bad} of {} steps failed or could not run", self.done.len());
            ExitCode::FAILURE
        } else {
            eprintln!("\nall {} steps are ok", self.done.len());
            ExitCode::SUCCESS
        }
    }
}

fn verdict(result: &Result<(), Failure>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(Failure::Failed(_)) => "FAILED",
        Err(Failure::CouldNotRun(_)) => "COULD NOT RUN",
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
