//! Starting the example `serve` as a program of its own, to be killed.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use sqlx::{Connection, PgConnection};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

/// An unprivileged user that is not the one PostgreSQL runs as for root.
pub(crate) fn nobody() -> u32 {
    65534
}

/// The example `serve`, in a process group of its own.
pub(crate) struct Serve {
    child: Child,
    pub(crate) url: String,
}

impl Serve {
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::spawn(Command::new(program()).arg(data_dir))
    }

    /// As user `uid`, from a copy in `dir` that this user can read.
    pub(crate) fn start_as(uid: u32, data_dir: &Path, dir: &Path, cache: &Path) -> Self {
        let copy = dir.join("serve");
        fs::copy(program(), &copy).unwrap();
        let mut command = Command::new(copy);
        command.arg(data_dir).uid(uid).gid(uid).current_dir("/").env("DAYBOOK_POSTGRES_CACHE", cache);
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child =
            command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        if url.is_empty() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("it did not start: {said}");
        }
        Self { child, url: url.trim().to_owned() }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// `kill -9` of the program and everything else in its process group.
    pub(crate) fn kill_group(mut self) {
        kill_process_group(self.pid(), Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C.
    pub(crate) fn stop(mut self) {
        kill_process(self.pid(), Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Waits until it ends by itself and answers what it said.
    pub(crate) fn wait(mut self) -> String {
        assert!(!self.child.wait().unwrap().success());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Serve {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process(self.pid(), Signal::INT);
            let _ = self.child.wait();
        }
    }
}

fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples/serve");
    assert!(program.exists(), "build it: cargo build -p embedded-postgres --example serve");
    program
}

/// The binaries that the tests use, under a name that another user can read, however private the original is.
pub(crate) fn copy_cache(dir: &Path) -> PathBuf {
    let cache = std::env::var_os("DAYBOOK_POSTGRES_CACHE").map_or("/var/cache/daybook".into(), PathBuf::from);
    let copy = dir.join("cache");
    assert!(Command::new("cp").arg("-r").arg(cache).arg(&copy).status().unwrap().success());
    copy
}

pub(crate) async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    PgConnection::connect(url).await
}

pub(crate) async fn run(url: &str, sql: &str) {
    sqlx::query(sql).execute(&mut connect(url).await.unwrap()).await.unwrap();
}

pub(crate) async fn query(url: &str, sql: &str) -> String {
    sqlx::query_scalar(sql).fetch_one(&mut connect(url).await.unwrap()).await.unwrap()
}

pub(crate) async fn number(url: &str, sql: &str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut connect(url).await.unwrap()).await.unwrap()
}

pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn postmaster_pid(data_dir: &Path) -> i32 {
    let text = fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

/// A process and its children.
pub(crate) fn family(pid: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let children = children.split_whitespace().map(|child| child.parse().unwrap());
    std::iter::once(pid).chain(children).collect()
}

/// Kills a process, unless it has ended already, as the children of a postmaster do that was killed before them.
pub(crate) fn kill(pid: i32) {
    let killed = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    assert!(matches!(killed, Ok(()) | Err(rustix::io::Errno::SRCH)), "{killed:?}");
}

/// Not even as a zombie, whose command line is empty.
pub(crate) fn is_alive(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}
