//! A Python for what the tests have in no other language: Pulsar's official client, checks of the documents, a mail server.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure};
use crate::workspace;

const LIMIT: Duration = Duration::from_mins(5);
/// `pyyaml` and `jsonschema` check the document of the messages against real ones; `schemathesis` checks the document of
/// the HTTP interface against the running system, with contents that `hypothesis` makes; `aiosmtpd` takes mail; `duckdb` reads
/// the Parquet of exports. The last five are clients that people have, each sending to Daybook unmodified.
const PACKAGES: [&str; 12] = [
    "pulsar-client==3.13.0",
    "pyyaml==6.0.4",
    "jsonschema==4.26.0",
    "schemathesis==4.32.5",
    "hypothesis==6.170.17",
    "aiosmtpd==1.4.6",
    "duckdb==2.0.1",
    "segment-analytics-python==2.4.0",
    "rudder-sdk-python==2.1.9",
    "posthog==7.91.1",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "cloudevents==2.2.0",
];

/// Makes the environment, unless it is there with the same packages.
pub(crate) fn ensure() -> Result<(), Failure> {
    let (dir, stamp) = (dir()?, dir()?.join("packages"));
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        eprintln!("nothing has changed");
        return Ok(());
    }
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir), LIMIT)?;
    let mut install = Command::new(interpreter()?);
    install.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]).args(PACKAGES);
    process::run(&mut install, LIMIT)?;
    fs::write(&stamp, wanted).map_err(Failure::io(format!("cannot write {}", stamp.display())))
}

pub(crate) fn interpreter() -> Result<PathBuf, Failure> {
    Ok(dir()?.join("bin/python3"))
}

fn dir() -> Result<PathBuf, Failure> {
    Ok(workspace::scratch()?.join("python"))
}
