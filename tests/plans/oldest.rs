//! The oldest PostgreSQL that is supported, as Debian 12 has it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const READY_LIMIT: Duration = Duration::from_mins(1);

/// A server that ends with this value.
pub(crate) struct Server {
    child: Child,
    url: String,
    _dir: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let programs = Path::new(PROGRAMS);
        assert!(
            programs.join("postgres").exists(),
            "PostgreSQL 15 is missing: apt-get install postgresql-15"
        );
        let dir = tempfile::tempdir().unwrap();
        let cluster = dir.path().join("cluster");
        fs::create_dir(&cluster).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // It refuses to run as root.
        let user = geteuid().is_root().then(user);
        if let Some((uid, gid)) = user {
            chown(&cluster, Some(uid), Some(gid)).unwrap();
        }
        let program = |name: &str| {
            let mut command = Command::new(programs.join(name));
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let mut initdb = program("initdb");
        initdb.args([
            "--auth",
            "trust",
            "--username",
            "postgres",
            "--no-sync",
            "--locale",
            "C",
            "--encoding",
            "UTF8",
        ]);
        assert!(initdb.arg("--pgdata").arg(&cluster).status().unwrap().success(), "initdb failed");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = program("postgres");
        postgres.arg("-D").arg(&cluster).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        postgres.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
        let child = postgres.spawn().unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let server = Self { child, url, _dir: dir };
        server.is_ready().await;
        server
    }

    async fn is_ready(&self) {
        let began = Instant::now();
        while let Err(error) = PgConnection::connect(&self.url).await {
            assert!(began.elapsed() < READY_LIMIT, "PostgreSQL 15 was not ready: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        let _ = self.child.wait();
    }
}

/// The user and the group `postgres`, whom the package makes.
fn user() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let fields: Vec<&str> =
        passwd.lines().find(|line| line.starts_with("postgres:")).unwrap().split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}
