use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::program::{Finished, Program, command, end_postmaster};
use super::{Api, Customer};

/// The first start of a debug build makes a database, while other tests do the same.
const READY_LIMIT: Duration = Duration::from_mins(2);
const READY_POLL: Duration = Duration::from_millis(20);

/// The whole system on an embedded database, as `daybook up` runs it.
pub(crate) struct Stack {
    program: Option<Program>,
    pub(crate) url: String,
    pub(crate) metrics_url: String,
    scratch: Arc<TempDir>,
    /// From the start of the program until it was ready.
    pub(crate) took: Duration,
}

impl Stack {
    /// A new system.
    pub(crate) fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// A new system with further arguments and environment.
    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let scratch = tempfile::Builder::new().prefix("daybook-stack-").tempdir().unwrap();
        Self::start_in(Arc::new(scratch), arguments, environment)
    }

    fn start_in(scratch: Arc<TempDir>, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(scratch.path());
        command.args([
            "up",
            "--data-dir",
            "data",
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "127.0.0.1:0",
        ]);
        command.args(arguments).envs(environment.iter().copied());
        let began = Instant::now();
        let mut program = Program::start(&mut command, scratch.path(), "up");
        let addresses = ready(&mut program, &scratch.path().join("data"));
        let text = |key: &str| addresses[key].as_str().unwrap().to_owned();
        Self {
            url: text("url"),
            metrics_url: text("metrics_url"),
            program: Some(program),
            scratch,
            took: began.elapsed(),
        }
    }

    /// The same system once more, on the data that was left.
    pub(crate) fn start_again(mut self) -> Self {
        drop(self.program.take());
        Self::start_in(Arc::clone(&self.scratch), &[], &[])
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.as_ref().unwrap().id()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.scratch.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// What it said on standard output.
    pub(crate) fn banner(&self) -> String {
        self.program.as_ref().unwrap().out()
    }

    /// Someone who has not said who he is.
    pub(crate) fn anonymous(&self) -> Api {
        Api::new(&self.url)
    }

    /// A new customer, with a token for everything.
    pub(crate) async fn customer(&self) -> Customer {
        Customer::sign_up(&self.url, "UTC").await
    }

    /// An operator's command on this system.
    pub(crate) async fn operate(&self, arguments: &[&str]) -> Finished {
        let mut command = command(self.dir());
        command.args(arguments).args(["--data-dir", "data"]);
        let name = uuid::Uuid::now_v7().to_string();
        Program::start(&mut command, self.dir(), &name).finished().await
    }

    /// `kill -9` of the whole process group; with `everything`, also of the database.
    pub(crate) fn kill(&mut self, everything: bool) {
        if let Some(program) = self.program.take() {
            program.kill();
        }
        if everything {
            kill_postmaster(&self.data_dir());
        }
    }

    /// `kill -9` of the database alone.
    pub(crate) fn kill_database(&self) {
        kill_postmaster(&self.data_dir());
    }

    /// Ctrl-C. Returns how long it took to end.
    pub(crate) async fn interrupt(&mut self) -> (Finished, Duration) {
        self.program.take().unwrap().interrupt().await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        drop(self.program.take());
        // Whoever starts it again holds the folder too, and looks after what is left in it.
        if Arc::strong_count(&self.scratch) == 1 {
            end_postmaster(&self.data_dir());
        }
    }
}

/// `kill -9` of PostgreSQL: of the process that started it and of its children, which are in groups of their own.
fn kill_postmaster(data_dir: &Path) {
    let text = fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")).unwrap();
    let postmaster = text.lines().next().unwrap().trim();
    let children =
        fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
    let pids = std::iter::once(postmaster).chain(children.split_whitespace());
    for pid in pids.filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw) {
        // It may have noticed that it is alone, and ended.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn ready(program: &mut Program, data_dir: &Path) -> Value {
    let began = Instant::now();
    loop {
        // A killed program leaves its addresses; they count once they are those of this one.
        let left = fs::read(data_dir.join("addresses.json")).ok();
        let left = left.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        if let Some(addresses) = left.filter(|addresses| addresses["pid"] == program.id())
            // Somebody can log in by then.
            && program.out().contains(addresses["url"].as_str().unwrap())
        {
            return addresses;
        }
        assert!(program.ended().is_none(), "it ended before it was ready");
        assert!(began.elapsed() < READY_LIMIT, "it was not ready within {READY_LIMIT:?}");
        std::thread::sleep(READY_POLL);
    }
}

/// A system for all tests that leave it as it is, each with a customer of its own. It ends with the tests.
pub(crate) fn shared() -> &'static Stack {
    static SHARED: OnceLock<Stack> = OnceLock::new();
    SHARED.get_or_init(|| {
        Stack::start_with(
            &[],
            &[
                ("DAYBOOK_ACTIVITIES_BODY_TIMEOUT_S", "3"),
                ("DAYBOOK_FOLD_DELAY_MS", "50"),
                // Every test signs up, all from one address.
                ("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", "100000"),
            ],
        )
    })
}
