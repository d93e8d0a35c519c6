//! The frontend's own tool chain. What has not changed is not done again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure};
use crate::workspace;

const INSTALL_LIMIT: Duration = Duration::from_mins(10);
const BUILD_LIMIT: Duration = Duration::from_mins(5);
const CHECK_LIMIT: Duration = Duration::from_mins(10);

/// What `npm` makes, and what has no part in it.
const NOT_SOURCES: [&str; 4] = ["node_modules", "dist", "coverage", ".vite"];

/// Installs the packages, if the list of them has changed.
pub(crate) fn install() -> Result<(), Failure> {
    let list = dir().join("package-lock.json");
    let now = fs::read_to_string(&list).map_err(Failure::io(format!("cannot read {}", list.display())))?;
    unless_unchanged("npm-ci", &now, &dir().join("node_modules"), || {
        process::run(npm().args(["ci", "--no-audit", "--no-fund"]), INSTALL_LIMIT)
    })
}

/// Builds what the binary embeds, if a source has changed.
pub(crate) fn build() -> Result<(), Failure> {
    let is_left_out =
        |path: &Path| path.file_name().is_some_and(|name| NOT_SOURCES.iter().any(|other| name == *other));
    let now = workspace::fingerprint(&dir(), &is_left_out)
        .map_err(Failure::io("cannot read the frontend's sources"))?
        .to_string();
    unless_unchanged("npm-build", &now, &dir().join("dist/index.html"), || {
        process::run(npm().args(["run", "build"]), BUILD_LIMIT)
    })
}

/// Type check, lints and tests of the frontend alone.
pub(crate) fn check() -> Result<(), Failure> {
    process::run(npm().args(["run", "check"]), CHECK_LIMIT)
}

/// Writes the client from docs/openapi.json.
pub(crate) fn write_client() -> Result<(), Failure> {
    process::run(npm().args(["run", "api"]), CHECK_LIMIT)
}

/// Whether the client is the one that docs/openapi.json makes.
pub(crate) fn check_client() -> Result<(), Failure> {
    process::run(npm().args(["run", "api:check"]), CHECK_LIMIT)
}

fn dir() -> PathBuf {
    workspace::root().join("frontend")
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(dir());
    command
}

/// Installs the clients that the tests of the stack drive, if the list of them has changed.
pub(crate) fn install_test_clients() -> Result<(), Failure> {
    let clients = workspace::root().join("tests/clients");
    let list = clients.join("package-lock.json");
    let now = fs::read_to_string(&list).map_err(Failure::io(format!("cannot read {}", list.display())))?;
    unless_unchanged("npm-ci-test-clients", &now, &clients.join("node_modules"), || {
        let mut install = npm();
        install.args(["ci", "--no-audit", "--no-fund"]).current_dir(&clients);
        process::run(&mut install, INSTALL_LIMIT)
    })
}

/// Does `work`, unless `result` is there and was made when `now` was the same.
fn unless_unchanged(
    name: &str,
    now: &str,
    result: &Path,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stamp = workspace::scratch()?.join(name);
    if result.exists() && fs::read_to_string(&stamp).is_ok_and(|then| then == now) {
        eprintln!("nothing has changed");
        return Ok(());
    }
    work()?;
    if !result.exists() {
        return Err(Failure::Failed(format!("it made no {}", result.display())));
    }
    fs::write(&stamp, now).map_err(Failure::io(format!("cannot write {}", stamp.display())))
}
