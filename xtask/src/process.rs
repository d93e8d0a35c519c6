//! Running a program with a time limit.

use std::fmt;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt;

/// What a program may take to stop when asked to; then it is killed.
const GRACE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(30);

/// Why a step did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It ran, and something is wrong.
    Failed(String),
    /// It could not even be tried, because something that it needs is missing.
    CouldNotRun(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) | Self::CouldNotRun(reason) => formatter.write_str(reason),
        }
    }
}

impl Failure {
    /// For `map_err`: the file system refused `action`.
    pub(crate) fn io(action: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{action}: {error}"))
    }
}

/// Runs a program to its end. What it says streams through.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<(), Failure> {
    let mut child = spawn(command)?;
    succeed(command, wait(&mut child, limit)?)
}

/// Runs a program and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command, limit: Duration) -> Result<Vec<u8>, Failure> {
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let pipe = child.stdout.take();
    // Read beside waiting: a program that fills the pipe would wait for us.
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes)).map(|_| bytes)
    });
    succeed(command, wait(&mut child, limit)?)?;
    match reader.join() {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Failure::Failed(format!("cannot read what {} says: {error}", name(command)))),
        Err(_) => Err(Failure::Failed("the reading thread panicked".to_owned())),
    }
}

/// Starts a program in a process group of its own, without a terminal to read from.
pub(crate) fn spawn(command: &mut Command) -> Result<Child, Failure> {
    if interrupt::requested() {
        return Err(Failure::CouldNotRun("interrupted".to_owned()));
    }
    let spawned = command.stdin(Stdio::null()).process_group(0).spawn();
    spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::CouldNotRun(format!("there is no program {}", name(command))),
        _ => Failure::CouldNotRun(format!("cannot start {}: {error}", name(command))),
    })
}

/// Waits for a program; stops it with everything that it has started at the limit, and at Ctrl-C.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, Failure> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(Failure::io("cannot wait for a program"))? {
            return Ok(status);
        }
        let reason = if interrupt::requested() {
            "interrupted".to_owned()
        } else if began.elapsed() > limit {
            format!("not done after {} min", limit.as_secs().div_ceil(60))
        } else {
            thread::sleep(POLL);
            continue;
        };
        stop(child, Signal::TERM);
        return Err(Failure::Failed(reason));
    }
}

/// Stops a program and what it has started: first it is asked to, then killed.
pub(crate) fn stop(child: &mut Child, signal: Signal) {
    let group = Pid::from_child(child);
    // A group that is gone needs no signal.
    let _ = kill_process_group(group, signal);
    let began = Instant::now();
    while began.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(POLL);
    }
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
}

fn succeed(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(Failure::Failed(format!("{}: {status}", name(command)))) }
}

fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned()
}
