//! The server's process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::Error;
use crate::settings::SETTINGS;

/// After a crash it replays up to `max_wal_size` of log first.
const READY_LIMIT: Duration = Duration::from_mins(5);
const READY_POLL: Duration = Duration::from_millis(10);
const SLOW_START: Duration = Duration::from_secs(5);
/// A fast shutdown breaks off what clients do and writes a checkpoint.
const FAST_LIMIT: Duration = Duration::from_secs(6);
/// An immediate one leaves the log to be replayed.
const IMMEDIATE_LIMIT: Duration = Duration::from_secs(2);
/// For a server that is dropped without [`Postmaster::stop`]: `drop` cannot wait as a future does.
const DROP_LIMIT: Duration = Duration::from_secs(1);
const DROP_POLL: Duration = Duration::from_millis(10);
/// A longer log is put aside at the next start.
const LOG_MAX_BYTES: u64 = 16 << 20;
/// How much of the log goes into an error.
const TAIL_MAX_BYTES: usize = 2000;

/// A running postmaster, stopped when dropped.
#[derive(Debug)]
pub(crate) struct Postmaster {
    child: Child,
    cluster: PathBuf,
    log: PathBuf,
    /// Where this start's part of the log begins.
    log_start: u64,
}

impl Postmaster {
    /// Starts the server of `cluster`; it is not ready yet.
    pub(crate) fn spawn(mut command: Command, cluster: &Path, port: u16, log: &Path) -> Result<Self, Error> {
        let opened = open_log(log).and_then(|file| Ok((file.metadata()?.len(), file.try_clone()?, file)));
        let (log_start, stdout, stderr) = opened.map_err(Error::io("cannot write", log))?;
        command.arg("-D").arg(cluster);
        for (name, value) in SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.arg("-c").arg(format!("port={port}"));
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let child = command.spawn().map_err(Error::io("cannot start PostgreSQL in", cluster))?;
        Ok(Self { child, cluster: cluster.to_owned(), log: log.to_owned(), log_start })
    }

    /// Waits until it takes connections, which it notes in its pid file.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let mut said = false;
        while !self.is_ready() {
            if let Some(status) = self.exited()? {
                return Err(Error::DidNotStart {
                    status: status.to_string(),
                    log: self.log.clone(),
                    tail: self.log_tail(),
                });
            }
            if began.elapsed() > READY_LIMIT {
                return Err(Error::TooSlow { what: "the start of PostgreSQL", limit: READY_LIMIT });
            }
            if began.elapsed() > SLOW_START && !said {
                said = true;
                tracing::info!(log = %self.log.display(), "PostgreSQL is still starting; after a crash it recovers first");
            }
            sleep(READY_POLL).await;
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        const STATUS_LINE: usize = 7;
        let Some(pid) = self.child.id() else { return false };
        let Ok(text) = fs::read_to_string(self.cluster.join("postmaster.pid")) else { return false };
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        lines.first() == Some(&pid.to_string().as_str()) && lines.get(STATUS_LINE) == Some(&"ready")
    }

    fn exited(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(Error::io("cannot ask about the PostgreSQL in", &self.cluster))
    }

    /// Waits until it ends, and says how. Cancel safe.
    pub(crate) async fn ended(&mut self) -> Error {
        match self.child.wait().await {
            Ok(status) => Error::Ended { status: status.to_string(), log: self.log.clone() },
            Err(source) => Error::io("cannot wait for the PostgreSQL in", &self.cluster)(source),
        }
    }

    /// Stops it: fast, then immediately, then by force.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        for (signal, limit) in [(Signal::INT, FAST_LIMIT), (Signal::QUIT, IMMEDIATE_LIMIT)] {
            self.signal(signal);
            if let Ok(waited) = timeout(limit, self.child.wait()).await {
                waited.map_err(Error::io("cannot wait for the PostgreSQL in", &self.cluster))?;
                return Ok(());
            }
        }
        self.signal(Signal::KILL);
        Err(Error::TooSlow { what: "stopping PostgreSQL", limit: FAST_LIMIT + IMMEDIATE_LIMIT })
    }

    fn signal(&self, signal: Signal) {
        // No number: it has ended, and the number may be another program's.
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = pid
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(%error, "cannot signal PostgreSQL");
        }
    }

    fn log_tail(&self) -> String {
        let mut bytes = Vec::new();
        let read = File::open(&self.log).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.log_start))?;
            file.take(LOG_MAX_BYTES).read_to_end(&mut bytes)
        });
        if let Err(error) = read {
            return error.to_string();
        }
        String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL_MAX_BYTES)..]).trim().to_owned()
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.signal(Signal::INT);
        let polls = DROP_LIMIT.as_millis() / DROP_POLL.as_millis();
        for _ in 0..polls {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(DROP_POLL);
        }
        self.signal(Signal::QUIT);
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LOG_MAX_BYTES) {
        fs::rename(path, path.with_added_extension("1"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// What a program said before it failed, for an error.
pub(crate) fn first_words(output: &Output) -> String {
    let text = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(&text[..text.len().min(TAIL_MAX_BYTES)]);
    match text.trim() {
        "" => output.status.to_string(),
        words => format!("{} ({})", words, output.status),
    }
}
