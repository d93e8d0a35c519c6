//! What must be on the machine besides Rust.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure};
use crate::workspace;

const APT_LIMIT: Duration = Duration::from_mins(15);
const ASK_LIMIT: Duration = Duration::from_secs(20);
/// Where Debian has it.
const OLDEST_POSTGRES: &str = "/usr/lib/postgresql/15/bin/postgres";
const NODE_MAJOR_MIN: u32 = 20;
const JAVA_MAJOR_MIN: u32 = 17;
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A program that we need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Links what cargo builds.
    CCompiler,
    /// Builds the frontend.
    Node,
    /// Builds the Pulsar client, if that is among the dependencies.
    Protoc,
    /// Runs the browser tests.
    Chromium,
    /// Runs the Pulsar broker.
    Java,
    /// Fetches the Pulsar broker.
    Maven,
    /// Runs the example of a consumer.
    Python,
    /// Sets the clocks of the tests' processes apart.
    Faketime,
    /// The oldest PostgreSQL that is supported, for the plans of the statements.
    OldestPostgres,
    /// Stands before the door, as in the documentation.
    Nginx,
}

impl Tool {
    /// What is wrong, in words that say what to do; `None` if the tool is there.
    fn problem(self) -> Option<String> {
        match self {
            Self::CCompiler if find("cc").is_none() => Some("a C compiler is missing (cc)".to_owned()),
            Self::Node => match (node_major(), find("npm")) {
                (Some(major), _) if major < NODE_MAJOR_MIN => {
                    Some(format!("Node.js {major} is too old; {NODE_MAJOR_MIN} or newer is needed"))
                }
                (Some(_), Some(_)) => None,
                _ => Some(format!("Node.js {NODE_MAJOR_MIN} or newer with npm is missing")),
            },
            Self::Protoc if uses_pulsar() && find("protoc").is_none() => {
                Some("the Protocol Buffers compiler is missing (protoc)".to_owned())
            }
            Self::Chromium if chromium().is_none() => {
                Some("Chromium is missing; install it, or set CHROMIUM_PATH".to_owned())
            }
            Self::Java => match java_major() {
                Some(major) if major < JAVA_MAJOR_MIN => {
                    Some(format!("Java {major} is too old; {JAVA_MAJOR_MIN} or newer is needed"))
                }
                Some(_) => None,
                None => Some(format!("Java {JAVA_MAJOR_MIN} or newer is missing")),
            },
            Self::Python if !has_venv() => Some("Python 3 with its module venv is missing".to_owned()),
            Self::Faketime if faketime().is_none() => Some("libfaketime is missing".to_owned()),
            Self::OldestPostgres if !Path::new(OLDEST_POSTGRES).is_file() => {
                Some("PostgreSQL 15 is missing".to_owned())
            }
            Self::Nginx if nginx().is_none() => Some("nginx is missing".to_owned()),
            Self::Maven if find("mvn").is_none() => Some("Maven is missing (mvn)".to_owned()),
            _ => None,
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::CCompiler => &["gcc", "libc6-dev"],
            Self::Node => &["nodejs", "npm"],
            Self::Protoc => &["protobuf-compiler"],
            Self::Chromium => &["chromium"],
            Self::Java => &["default-jre-headless"],
            Self::Maven => &["maven"],
            Self::Python => &["python3", "python3-venv"],
            Self::Faketime => &["libfaketime"],
            Self::OldestPostgres => &["postgresql-15"],
            Self::Nginx => &["nginx"],
        }
    }
}

/// Makes sure of `tools`: installs what is missing if we are root on Debian or its like, and says what to install
/// otherwise, all of it in one line.
pub(crate) fn ensure(tools: &[Tool]) -> Result<(), Failure> {
    let missing = |tools: &[Tool]| -> Vec<Tool> {
        tools.iter().copied().filter(|tool| tool.problem().is_some()).collect()
    };
    let mut still = missing(tools);
    if !still.is_empty() && rustix::process::geteuid().is_root() && find("apt-get").is_some() {
        let packages: Vec<_> = still.iter().flat_map(|tool| tool.packages()).copied().collect();
        eprintln!("installing {}", packages.join(" "));
        process::run(apt().arg("update"), APT_LIMIT)?;
        process::run(apt().args(["install", "--yes", "--no-install-recommends"]).args(&packages), APT_LIMIT)?;
        still = missing(tools);
    }
    if still.is_empty() {
        return Ok(());
    }
    let problems: Vec<_> = still.iter().filter_map(|tool| tool.problem()).collect();
    let packages: Vec<_> = still.iter().flat_map(|tool| tool.packages()).copied().collect();
    Err(Failure::CouldNotRun(format!("{}: apt-get install {}", problems.join("; "), packages.join(" "))))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The browser: the one that `CHROMIUM_PATH` names, or the first in the path.
pub(crate) fn chromium() -> Option<PathBuf> {
    match env::var_os("CHROMIUM_PATH") {
        Some(path) => Some(PathBuf::from(path)),
        None => BROWSERS.iter().find_map(|name| find(name)),
    }
}

/// The library of Debian's package, in the folder of whatever architecture this is.
pub(crate) fn faketime() -> Option<PathBuf> {
    let architectures = fs::read_dir("/usr/lib").ok()?.flatten();
    let inside = |folder: fs::DirEntry| folder.path().join("faketime/libfaketime.so.1");
    architectures.map(inside).find(|path| path.is_file())
}

/// In a folder that only the superuser's path has.
pub(crate) fn nginx() -> Option<PathBuf> {
    find("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| is_program(path)))
}

fn node_major() -> Option<u32> {
    let said = process::output(Command::new("node").arg("--version"), ASK_LIMIT).ok()?;
    String::from_utf8(said).ok()?.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Debian has `ensurepip`, without which no environment can be made, in a package of its own.
fn has_venv() -> bool {
    process::output(Command::new("python3").args(["-c", "import venv, ensurepip"]), ASK_LIMIT).is_ok()
}

/// From `openjdk 17.0.15 2025-04-15`.
fn java_major() -> Option<u32> {
    let said = process::output(Command::new("java").args(["--version"]), ASK_LIMIT).ok()?;
    String::from_utf8(said).ok()?.split_ascii_whitespace().nth(1)?.split('.').next()?.parse().ok()
}

fn uses_pulsar() -> bool {
    fs::read_to_string(workspace::root().join("Cargo.lock"))
        .is_ok_and(|lock| lock.lines().any(|line| line == "name = \"pulsar\""))
}

fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|dir| dir.join(program))
        .find(|path: &PathBuf| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
