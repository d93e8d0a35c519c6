use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

use super::PATIENCE;

/// Ends a program and removes its folder when the tests end without having done so: its standard input closes then.
const GUARD: &str = r#"
    read -r word && exit
    kill -TERM "$1" 2>/dev/null
    for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
    kill -KILL -- "-$1" 2>/dev/null
    postmaster=$(head -n 1 "$2/data/postgres/cluster/postmaster.pid" 2>/dev/null) && kill -QUIT "$postmaster" && sleep 1
    rm -rf "$2"
"#;

/// The binary under test, without what the environment of the tests would tell it.
pub(crate) fn command(dir: &Path) -> Command {
    let binary = std::env::var_os("DAYBOOK_BINARY").map_or_else(beside_the_tests, PathBuf::from);
    assert!(binary.exists(), "{} does not exist: cargo build --package daybook", binary.display());
    let mut command = Command::new(binary);
    // No `.env` of anybody's is read there.
    command.current_dir(dir);
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("DAYBOOK_") && name != "DAYBOOK_POSTGRES_CACHE" {
            command.env_remove(&key);
        }
    }
    command
}

fn beside_the_tests() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().and_then(Path::parent).unwrap().join("daybook")
}

/// A program that runs, in a process group of its own.
pub(crate) struct Program {
    child: Child,
    /// None once it is not needed any more.
    guard: Option<(Child, ChildStdin)>,
    dir: PathBuf,
    name: String,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Starts it. What it says goes to `NAME.out` and `NAME.err` in `dir`.
    pub(crate) fn start(command: &mut Command, dir: &Path, name: &str) -> Self {
        let file = |end: &str| File::create(dir.join(format!("{name}.{end}"))).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", command.get_program().display()));
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(dir)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let line = guard.stdin.take().unwrap();
        Self { child, guard: Some((guard, line)), dir: dir.to_owned(), name: name.to_owned() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on standard output.
    pub(crate) fn out(&self) -> String {
        self.said("out")
    }

    /// What it has said on standard error.
    pub(crate) fn err(&self) -> String {
        self.said("err")
    }

    fn said(&self, end: &str) -> String {
        let text = fs::read(self.dir.join(format!("{}.{end}", self.name))).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it ends.
    pub(crate) async fn finished(mut self) -> Finished {
        let status = super::eventually("a program ends", || {
            let ended = self.ended();
            async move { ended }
        })
        .await;
        Finished { code: status.code(), out: self.out(), err: self.err() }
    }

    /// Ctrl-C. Returns how long it took to end.
    pub(crate) async fn interrupt(self) -> (Finished, Duration) {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let finished = self.finished().await;
        (finished, began.elapsed())
    }

    /// `kill -9` of the whole process group.
    pub(crate) fn kill(mut self) {
        self.kill_group();
    }

    fn kill_group(&mut self) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let err = self.err();
            let tail: Vec<_> = err.lines().rev().take(25).collect();
            eprintln!("--- {} said at last:", self.name);
            tail.into_iter().rev().for_each(|line| eprintln!("{line}"));
        }
        if self.ended().is_none() {
            self.kill_group();
        }
        if let Some((mut guard, mut line)) = self.guard.take() {
            let _ = line.write_all(b"done\n");
            drop(line);
            let _ = guard.wait();
        }
    }
}

/// Ends a PostgreSQL that lost the program that started it.
pub(crate) fn end_postmaster(data_dir: &Path) {
    let Ok(text) = fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")) else { return };
    let Some(pid) = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw)
    else {
        return;
    };
    let _ = kill_process(pid, Signal::QUIT);
    let began = Instant::now();
    while test_kill_process(pid).is_ok() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
}
