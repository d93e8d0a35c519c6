//! What a program that was killed leaves behind in its data folder.
//!
//! We hold the folder's lock, so a PostgreSQL that still runs there was left over. Processes are found by what
//! they are, not by `postmaster.pid`: its number may by now be another program's.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::owner::Owner;

/// A fast shutdown writes a checkpoint; after this the next start replays the log instead.
const FAST_LIMIT: Duration = Duration::from_secs(4);
const IMMEDIATE_LIMIT: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(20);

/// Stops every PostgreSQL process of `cluster` and makes sure that its pid file does not stop a new one.
pub(crate) async fn clear(cluster: &Path, owner: &Owner) -> Result<(), Error> {
    for pid in processes(|pid| is_postmaster(pid, cluster)) {
        tracing::warn!(pid = pid.as_raw_pid(), "stopping the PostgreSQL that a killed daybook left over");
        stop(pid, cluster).await?;
    }
    // Killed with its postmaster still busy, a backend goes on until it notices; the server refuses to start before.
    for pid in processes(|pid| is_orphan(pid, cluster)) {
        let _ = kill_process(pid, Signal::QUIT);
        is_gone(pid, IMMEDIATE_LIMIT, || is_orphan(pid, cluster)).await;
    }
    disown_pid_file(cluster, owner)
}

async fn stop(pid: Pid, cluster: &Path) -> Result<(), Error> {
    for (signal, limit) in [(Signal::INT, FAST_LIMIT), (Signal::QUIT, IMMEDIATE_LIMIT)] {
        // It may have ended by itself; then it is gone.
        let _ = kill_process(pid, signal);
        if is_gone(pid, limit, || is_postmaster(pid, cluster)).await {
            return Ok(());
        }
    }
    Err(Error::LeftOver { pid: pid.as_raw_pid(), dir: cluster.to_owned() })
}

async fn is_gone(pid: Pid, limit: Duration, is_there: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while is_there() {
        if Instant::now() >= deadline {
            tracing::warn!(pid = pid.as_raw_pid(), "a left-over PostgreSQL process does not stop");
            return false;
        }
        sleep(POLL).await;
    }
    true
}

/// If the number in `postmaster.pid` belongs to another program now, PostgreSQL takes that for a running server and
/// refuses to start. Its parent's number it does not mind, so ours goes there. The file must stay otherwise: it names
/// the shared memory by which PostgreSQL recognizes processes still at work in the cluster.
fn disown_pid_file(cluster: &Path, owner: &Owner) -> Result<(), Error> {
    let path = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let pid = first.trim().parse().ok().and_then(Pid::from_raw);
    if pid.is_some_and(|pid| test_kill_process(pid).is_err_and(|error| error == rustix::io::Errno::SRCH)) {
        return Ok(());
    }
    let new = cluster.join("postmaster.pid.new");
    fs::write(&new, format!("{}\n{rest}", std::process::id())).map_err(Error::io("cannot write", &new))?;
    owner.give(&new)?;
    fs::rename(&new, &path).map_err(Error::io("cannot replace", &path))
}

fn processes(is_wanted: impl Fn(Pid) -> bool) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| is_wanted(*pid))
        .collect()
}

/// A postmaster keeps the command line that we started it with, and everyone may read it.
fn is_postmaster(pid: Pid, cluster: &Path) -> bool {
    let line = command_line(pid);
    let arguments: Vec<_> = line.split(|byte| *byte == 0).collect();
    arguments.windows(2).any(|pair| pair[0] == b"-D" && pair[1] == cluster.as_os_str().as_bytes())
        && arguments[0].ends_with(b"postgres")
}

/// A child of a postmaster has a title instead, and works in the cluster's folder.
fn is_orphan(pid: Pid, cluster: &Path) -> bool {
    command_line(pid).starts_with(b"postgres: ")
        && fs::read_link(format!("/proc/{}/cwd", pid.as_raw_pid())).is_ok_and(|dir| dir == cluster)
}

/// Empty for a process that has ended.
fn command_line(pid: Pid) -> Vec<u8> {
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_pid())).unwrap_or_default()
}
