//! A PostgreSQL for as long as it is needed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::process::Signal;

use crate::process::{self, Failure};
use crate::{interrupt, workspace};

/// The first one on a machine downloads its binaries.
const READY_LIMIT: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(50);

/// A server on a data folder of its own; stopped, and the folder removed, when dropped.
pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
    url: String,
}

impl Server {
    /// `daybook postgres`, as an operator starts it.
    pub(crate) fn of_daybook() -> Result<Self, Failure> {
        Self::start(|dir, url_file| {
            let mut command = Command::new(workspace::daybook("debug"));
            command.arg("postgres").arg("--data-dir").arg(dir).args(["--port", "0"]);
            command.arg("--url-file").arg(url_file);
            command
        })
    }

    /// The same server without `daybook`, which may not compile before its SQL has been looked at.
    pub(crate) fn of_platform() -> Result<Self, Failure> {
        Self::start(|dir, url_file| {
            let mut command = Command::new(workspace::target().join("debug/examples/serve"));
            command.arg(dir).arg(url_file);
            command
        })
    }

    fn start(command: impl FnOnce(&PathBuf, &PathBuf) -> Command) -> Result<Self, Failure> {
        // Not below the repository: under /root, PostgreSQL's unprivileged user could not get there, and would be refused.
        let dir = env::temp_dir().join(format!("daybook-xtask-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(Failure::io(format!("cannot make {}", dir.display())))?;
        let url_file = dir.join("url");
        let mut command = command(&dir.join("data"), &url_file);
        let child = process::spawn(command.stdout(Stdio::null()))?;
        let mut server = Self { child, dir, url: String::new() };
        let began = Instant::now();
        loop {
            // Written in one step or not, a line's end would come last.
            match fs::read_to_string(&url_file) {
                Ok(url) if url.starts_with("postgres://") => {
                    url.trim().clone_into(&mut server.url);
                    return Ok(server);
                }
                _ => {}
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(Failure::CouldNotRun(format!("PostgreSQL did not start: {status}")));
            }
            if interrupt::requested() {
                return Err(Failure::CouldNotRun("interrupted".to_owned()));
            }
            if began.elapsed() > READY_LIMIT {
                let limit = READY_LIMIT.as_secs();
                return Err(Failure::CouldNotRun(format!("PostgreSQL was not ready after {limit} s")));
            }
            thread::sleep(POLL);
        }
    }

    /// The superuser's URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        process::stop(&mut self.child, Signal::INT);
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            eprintln!("cannot remove {}: {error}", self.dir.display());
        }
    }
}
