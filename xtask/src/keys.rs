//! The keys of the configuration: each `.env.example`, and the tables of docs/operations.md, made from the code that reads
//! them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::process::{self, Failure};
use crate::steps::Steps;
use crate::{build, workspace};

const LIMIT: Duration = Duration::from_mins(1);
/// The folder of each service.
const SERVICES: [(&str, &str); 4] = [
    ("activities", "command-service"),
    ("customers", "customers"),
    ("reports", "projection-service"),
    ("gateway", "gateway"),
];
const OPERATIONS: &str = "docs/operations.md";
/// Between these lines of it the tables stand.
const BEGIN: &str = "<!-- Made by `cargo xtask keys` from the code. -->\n";
const END: &str = "<!-- End of what is made. -->\n";

pub(crate) fn run() -> ExitCode {
    let mut steps = Steps::default();
    let _ = build::build_from_nothing(&mut steps) && steps.step("keys", write);
    steps.finish()
}

fn write() -> Result<(), Failure> {
    for (path, text) in files()? {
        fs::write(&path, text).map_err(Failure::io(format!("cannot write {}", path.display())))?;
    }
    Ok(())
}

/// Whether the committed files say what the code does.
pub(crate) fn check() -> Result<(), Failure> {
    for (path, text) in files()? {
        if read(&path)? != text {
            let path = path.display();
            return Err(Failure::Failed(format!("{path} is not what the code says: run `cargo xtask keys`")));
        }
    }
    Ok(())
}

fn files() -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut files = Vec::new();
    for (service, folder) in SERVICES {
        files.push((workspace::root().join(folder).join(".env.example"), keys(&[service])?));
    }
    let path = workspace::root().join(OPERATIONS);
    let committed = read(&path)?;
    let marked =
        committed.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let lost = || Failure::Failed(format!("{OPERATIONS} has lost the lines between which the tables stand"));
    let (before, after) = marked.ok_or_else(lost)?;
    files.push((path, format!("{before}{BEGIN}\n{}\n{END}{after}", keys(&[])?)));
    Ok(files)
}

fn keys(arguments: &[&str]) -> Result<String, Failure> {
    let output =
        process::output(Command::new(workspace::daybook("debug")).arg("keys").args(arguments), LIMIT)?;
    String::from_utf8(output).map_err(|error| Failure::Failed(error.to_string()))
}

fn read(path: &std::path::Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::io(format!("cannot read {}", path.display())))
}
