use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::Duration;
use std::{env, fs, thread};

use local_broker::{Broker, Options};
use rustix::process::Signal;

use crate::steps::Steps;
use crate::tools::{self, Tool};
use crate::{build, frontend, interrupt, process, pulsar, workspace};

const POLL: Duration = Duration::from_millis(50);
/// Pulsar's own; another if it is taken.
const BROKER_PORT: u16 = 6650;
const DATA_DIR: &str = "--data-dir";
/// The default of `daybook up`.
const DATA_DIR_DEFAULT: &str = ".daybook";
/// Where others may go.
const DATA_DIR_OF_ROOT: &str = "/var/lib/daybook/data";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build without optimization: faster to build, slower to run
    #[arg(long)]
    debug: bool,
    /// Start an Apache Pulsar broker too, and carry the logs over it
    ///
    /// Maven resolves it once per machine. It keeps its messages in the data folder of `daybook up`, and ends with it.
    #[arg(long)]
    with_pulsar: bool,
    /// Arguments for `daybook up`, such as --demo
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut steps = Steps::default();
    let mut needed = vec![Tool::CCompiler, Tool::Node, Tool::Protoc];
    if arguments.with_pulsar {
        needed.extend([Tool::Java, Tool::Maven]);
    }
    let built = steps.step("tools", || tools::ensure(&needed))
        && steps.step("frontend: packages", frontend::install)
        && steps.step("frontend: build", frontend::build)
        && steps.step("daybook: build", || build::build_binary(arguments.debug));
    if !built {
        return ExitCode::FAILURE;
    }
    let profile = if arguments.debug { "debug" } else { "release" };
    let mut command = Command::new(workspace::daybook(profile));
    let mut passed = arguments.passed.clone();
    if let Some(dir) = reachable_data_dir(&passed) {
        eprintln!(
            "PostgreSQL, which does not run as root, cannot get to this folder; everything is kept in {dir}"
        );
        passed.extend([DATA_DIR.into(), dir.into()]);
    }
    command.arg("up").args(&passed);
    if arguments.with_pulsar {
        return beside_a_broker(&mut steps, &mut command, &passed);
    }
    eprintln!("\n==> daybook up");
    // It takes our place, so that Ctrl-C and its exit code are its own.
    let error = command.exec();
    eprintln!("cannot start daybook: {error}");
    ExitCode::FAILURE
}

/// Runs `daybook up` on a broker of its own until one of them ends, or Ctrl-C ends both.
fn beside_a_broker(steps: &mut Steps, command: &mut Command, arguments: &[OsString]) -> ExitCode {
    let mut broker = None;
    let options =
        Options { port: usual_port(), dir: Some(data_dir(arguments).join("pulsar")), ..Options::default() };
    let started = steps.step("Pulsar", || {
        broker = Some(pulsar::start(options)?);
        Ok(())
    });
    let (true, Some(mut broker)) = (started, broker) else { return ExitCode::FAILURE };
    eprintln!("\n==> daybook up, on {}", broker.url());
    command.args(["--pulsar", &broker.url(), "--pulsar-admin", &broker.web_url()]);
    let mut child = match process::spawn(command) {
        Ok(child) => child,
        Err(failure) => {
            eprintln!("{failure}");
            return ExitCode::FAILURE;
        }
    };
    attend(&mut child, &mut broker)
}

fn attend(child: &mut Child, broker: &mut Broker) -> ExitCode {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .map_or(ExitCode::FAILURE, ExitCode::from);
        }
        if interrupt::requested() {
            process::stop(child, Signal::INT);
            continue;
        }
        if broker.has_ended() {
            // What is recorded without it waits in the log; but nothing would start it again.
            eprintln!(
                "the broker ended by itself; it says why in {}",
                broker.dir().join("broker.log").display()
            );
            process::stop(child, Signal::INT);
            return ExitCode::FAILURE;
        }
        thread::sleep(POLL);
    }
}

fn usual_port() -> u16 {
    // Port 0 is any that is free.
    TcpListener::bind((Ipv4Addr::LOCALHOST, BROKER_PORT)).map_or(0, |_| BROKER_PORT)
}

/// Where everything is kept if root has cloned the repository where nobody else may go, as below /root, and says nothing
/// else. A folder that exists is left to `daybook up`, which says how to move it.
fn reachable_data_dir(passed: &[OsString]) -> Option<&'static str> {
    let is_given = data_dir(passed) != Path::new(DATA_DIR_DEFAULT);
    if is_given || !rustix::process::geteuid().is_root() || Path::new(DATA_DIR_DEFAULT).exists() {
        return None;
    }
    let here = env::current_dir().ok()?;
    let is_open = |dir: &Path| fs::metadata(dir).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    (!here.ancestors().all(is_open)).then_some(DATA_DIR_OF_ROOT)
}

/// Where `daybook up` keeps everything, by its arguments.
fn data_dir(arguments: &[OsString]) -> PathBuf {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == DATA_DIR {
            return arguments.next().map_or_else(|| DATA_DIR_DEFAULT.into(), PathBuf::from);
        }
        let given = argument.to_str().and_then(|argument| argument.strip_prefix(DATA_DIR)?.strip_prefix('='));
        if let Some(dir) = given {
            return PathBuf::from(OsStr::new(dir));
        }
    }
    DATA_DIR_DEFAULT.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_keeps_its_messages_where_everything_is_kept() {
        let of = |arguments: &[&str]| data_dir(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["--demo"]), PathBuf::from(".daybook"));
        assert_eq!(of(&["--demo", "--data-dir", "d"]), PathBuf::from("d"));
        assert_eq!(of(&["--data-dir=d/e", "--demo"]), PathBuf::from("d/e"));
    }
}
