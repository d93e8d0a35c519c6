use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::{Error, Interrupted};

/// The version of Pulsar.
pub const VERSION: &str = "4.0.0";

const POM: &str = include_str!("../pom.xml");
/// About 230 MB, from a slow mirror.
const RESOLVE_LIMIT: Duration = Duration::from_mins(15);
/// Another process may be resolving.
const LOCK_LIMIT: Duration = Duration::from_mins(16);
const POLL: Duration = Duration::from_millis(50);
/// What Maven says at its end about why it failed.
const REASON_LINES: usize = 3;

/// The programs of the broker, kept on this machine.
#[derive(Clone, Debug)]
pub struct Installation {
    dir: PathBuf,
}

impl Installation {
    /// Finds the broker's programs, or lets Maven fetch them. Safe to call from several processes at once.
    ///
    /// # Errors
    /// [`Error`], which says what to do.
    pub fn ensure(interrupted: Interrupted<'_>) -> Result<Self, Error> {
        let cache = cache()?;
        let installation = Self { dir: cache.join(format!("pulsar-{VERSION}")) };
        if installation.dir.exists() {
            return Ok(installation);
        }
        fs::create_dir_all(&cache).map_err(Error::io("make", &cache))?;
        let path = cache.join(format!("pulsar-{VERSION}.lock"));
        let lock = File::create(&path).map_err(Error::io("write", &path))?;
        wait("another process that fetches Pulsar", LOCK_LIMIT, interrupted, || Ok(lock.try_lock().is_ok()))?;
        if !installation.dir.exists() {
            installation.install(&cache, interrupted)?;
        }
        Ok(installation)
    }

    /// The class path.
    pub(crate) fn jars(&self) -> String {
        format!("{}/*", self.dir.display())
    }

    /// Resolves beside the final place, and moves the whole there in one step.
    fn install(&self, cache: &Path, interrupted: Interrupted<'_>) -> Result<(), Error> {
        eprintln!("fetching Apache Pulsar {VERSION} with Maven (about 230 MB, once per machine)");
        let work = cache.join(format!("pulsar-{VERSION}.{}", std::process::id()));
        let done = self.resolve(&work, interrupted);
        // Whatever has become of it, what is left is of no use.
        let _ = fs::remove_dir_all(&work);
        done
    }

    fn resolve(&self, work: &Path, interrupted: Interrupted<'_>) -> Result<(), Error> {
        fs::create_dir_all(work).map_err(Error::io("make", work))?;
        let (pom, said) = (work.join("pom.xml"), work.join("maven.log"));
        fs::write(&pom, POM).map_err(Error::io("write", &pom))?;
        let log = File::create(&said).map_err(Error::io("write", &said))?;
        let mut command = Command::new("mvn");
        command.current_dir(work).stdin(Stdio::null()).stderr(Stdio::null()).stdout(log);
        command.args([
            "-q",
            "-B",
            "dependency:copy-dependencies",
            "-DoutputDirectory=lib",
            "-DincludeScope=runtime",
        ]);
        let missing = |_| Error::Missing { program: "mvn", package: "maven" };
        let mut child = command.spawn().map_err(missing)?;
        let ended = wait("fetching Pulsar", RESOLVE_LIMIT, interrupted, || has_ended(&mut child));
        if ended.is_err() {
            let _ = child.kill();
        }
        let status = child.wait().map_err(Error::io("wait for Maven in", work))?;
        ended?;
        if !status.success() {
            return Err(Error::Resolve(reason(&fs::read_to_string(&said).unwrap_or_default())));
        }
        let lib = work.join("lib");
        fs::rename(&lib, &self.dir).map_err(Error::io("keep the broker in", &self.dir))
    }
}

fn reason(said: &str) -> String {
    let errors = said.lines().filter(|line| line.contains("ERROR")).take(REASON_LINES);
    errors.collect::<Vec<_>>().join(" ")
}

fn has_ended(child: &mut Child) -> Result<bool, Error> {
    let ended = child.try_wait().map_err(Error::io("wait for", Path::new("mvn")))?;
    Ok(ended.is_some())
}

/// Waits until `done`, up to a limit.
pub(crate) fn wait(
    what: &'static str,
    limit: Duration,
    interrupted: Interrupted<'_>,
    mut done: impl FnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let began = Instant::now();
    while !done()? {
        if interrupted() {
            return Err(Error::Interrupted);
        }
        if began.elapsed() > limit {
            return Err(Error::TimedOut(what, limit));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Where embedded PostgreSQL's programs are kept too.
fn cache() -> Result<PathBuf, Error> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = set("DAYBOOK_PULSAR_CACHE") {
        return Ok(dir);
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/cache/daybook"));
    }
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(base.ok_or(Error::NoCacheFolder)?.join("daybook"))
}
