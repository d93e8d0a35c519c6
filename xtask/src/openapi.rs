//! docs/openapi.json: generated from the code, committed so that a change of the outside is seen in review.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::process::{self, Failure};
use crate::steps::Steps;
use crate::{build, frontend, workspace};

const LIMIT: Duration = Duration::from_mins(1);

pub(crate) fn run() -> ExitCode {
    let mut steps = Steps::default();
    let _ = build::build_from_nothing(&mut steps)
        && steps.step("docs/openapi.json", write)
        && steps.step("frontend: client", frontend::write_client);
    steps.finish()
}

fn write() -> Result<(), Failure> {
    let document = document()?;
    fs::write(path(), document).map_err(Failure::io("cannot write docs/openapi.json"))
}

/// Whether the committed document is what the code says.
pub(crate) fn check() -> Result<(), Failure> {
    let committed = fs::read(path()).map_err(Failure::io("cannot read docs/openapi.json"))?;
    if committed == document()? {
        Ok(())
    } else {
        Err(Failure::Failed(
            "docs/openapi.json is not what the code says: run `cargo xtask openapi`".to_owned(),
        ))
    }
}

fn document() -> Result<Vec<u8>, Failure> {
    process::output(Command::new(workspace::daybook("debug")).arg("openapi"), LIMIT)
}

fn path() -> PathBuf {
    workspace::root().join("docs/openapi.json")
}
