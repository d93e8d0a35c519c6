use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

/// Why there is no broker.
#[derive(Debug)]
pub enum Error {
    /// A program is not installed.
    Missing {
        /// Its name.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// No folder to keep the broker's programs in.
    NoCacheFolder,
    /// A file or folder cannot be used.
    Io {
        /// What was tried.
        action: &'static str,
        /// On which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Maven could not resolve the broker.
    Resolve(String),
    /// The broker's process ended, or never said that it is healthy.
    NotReady {
        /// What happened.
        reason: String,
        /// What it wrote.
        log: PathBuf,
    },
    /// Something took too long.
    TimedOut(&'static str, Duration),
    /// The caller asked to give up.
    Interrupted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, package } => {
                write!(f, "there is no program {program}: apt-get install {package}")
            }
            Self::NoCacheFolder => {
                f.write_str("set HOME or DAYBOOK_PULSAR_CACHE: the broker is kept below it")
            }
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::Resolve(reason) => write!(
                f,
                "Maven cannot resolve the Pulsar broker: {reason}. It needs its central repository or a mirror of it \
                 (see ~/.m2/settings.xml)"
            ),
            Self::NotReady { reason, log } => {
                write!(f, "the Pulsar broker did not start: {reason}. It says why in {}", log.display())
            }
            Self::TimedOut(what, limit) => write!(f, "{what} took longer than {} s", limit.as_secs()),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Error {
    /// For `map_err`: the file system refused `action`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
