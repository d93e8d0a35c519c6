use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a server could not be started or stopped, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program holds the lock of this data folder.
    #[error("another daybook is running in {} (pid {pid}); stop it, or choose another folder with --data-dir", dir.display())]
    AlreadyRunning {
        /// The data folder.
        dir: PathBuf,
        /// The process that holds the lock, as it wrote it down; `unknown` if it has not yet.
        pid: String,
    },
    /// There is no folder for the shared binaries.
    #[error(
        "no cache folder: neither HOME nor XDG_CACHE_HOME is set; set DAYBOOK_POSTGRES_CACHE to a writable folder"
    )]
    NoCacheFolder,
    /// The binaries are not cached yet and could not be fetched.
    #[error(
        "PostgreSQL {version} could not be downloaded: {reason}. It is needed once and then kept in {}. \
         Check the network connection, or use a server that exists with --database-url",
        cache.display()
    )]
    Download {
        /// The version wanted.
        version: &'static str,
        /// Where it would be kept.
        cache: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The downloaded archive could not be unpacked, or its programs do not run here.
    #[error(
        "PostgreSQL {version} does not run from {}: {reason}. \
         Delete that folder to download it again, or use a server that exists with --database-url",
        dir.display()
    )]
    Binaries {
        /// The version wanted.
        version: &'static str,
        /// Where it lies.
        dir: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The user that PostgreSQL runs as cannot get at a folder.
    #[error(
        "{} cannot be reached by user {uid}, as whom PostgreSQL runs (it refuses to run as root); \
         set DAYBOOK_POSTGRES_CACHE to a folder that everyone can read",
        path.display()
    )]
    NotReachable {
        /// The folder.
        path: PathBuf,
        /// The unprivileged user's number.
        uid: u32,
    },
    /// PostgreSQL cannot serve in the data folder.
    #[error(
        "PostgreSQL refuses to run as root, and user {uid}, as whom it runs instead, may not pass through {closed}, so it \
         cannot serve in {dir}; choose a folder that everyone may reach with --data-dir (as /srv/daybook), run daybook as \
         the user to whom that folder belongs, or let others pass (chmod o+x {closed}) and start again",
        closed = closed.display(), dir = dir.display()
    )]
    OutOfReach {
        /// The data folder.
        dir: PathBuf,
        /// The unprivileged user's number.
        uid: u32,
        /// The first folder on the way that is closed.
        closed: PathBuf,
    },
    /// An earlier version put the cluster outside of the data folder, where no backup of the folder finds it.
    #[error(
        "an earlier version put the database of {dir} into {cluster}, outside of it; bring both together, in a folder that \
         everyone may reach: mkdir -p /srv/daybook && cp -a {dir}/. /srv/daybook && mv {cluster} /srv/daybook/postgres && \
         rm /srv/daybook/postgres.location, then start with --data-dir /srv/daybook",
        dir = dir.display(), cluster = cluster.display()
    )]
    Elsewhere {
        /// The data folder.
        dir: PathBuf,
        /// Where the cluster is.
        cluster: PathBuf,
    },
    /// The data folder names a cluster that is not there.
    #[error(
        "{dir} says that its database lies in {cluster}, and it is not there; restore it from a backup of that folder as \
         {dir}/postgres and remove {dir}/postgres.location, or choose another folder with --data-dir to start anew",
        dir = dir.display(), cluster = cluster.display()
    )]
    ElsewhereGone {
        /// The data folder.
        dir: PathBuf,
        /// Where the cluster should be.
        cluster: PathBuf,
    },
    /// The cluster belongs to another user.
    #[error("{} belongs to user {uid}; run as that user or as root, or choose another folder with --data-dir", dir.display())]
    OtherOwner {
        /// The cluster.
        dir: PathBuf,
        /// The number of the user it belongs to.
        uid: u32,
    },
    /// The cluster was made by another major version of PostgreSQL.
    #[error(
        "{} was made by PostgreSQL {found}, and this is {needed}; dump it with the old version and load it into a \
         new folder, or serve it yourself and pass --database-url",
        dir.display()
    )]
    OtherVersion {
        /// The cluster.
        dir: PathBuf,
        /// Its major version.
        found: String,
        /// The version that this program brings.
        needed: &'static str,
    },
    /// A file of the cluster that we wrote ourselves is gone or unreadable.
    #[error("{} is damaged: {reason}; restore it from a backup, or move the folder away to start anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The port that was asked for is in use.
    #[error("port {0} on 127.0.0.1 is taken by another program; choose another port")]
    PortTaken(u16),
    /// The cluster could not be initialized.
    #[error("PostgreSQL could not be initialized in {}: {reason}", dir.display())]
    Initialize {
        /// Where the cluster would be.
        dir: PathBuf,
        /// What `initdb` said.
        reason: String,
    },
    /// The left-over postmaster of a killed program does not stop.
    #[error("a left-over PostgreSQL (pid {pid}) still runs in {} and does not stop; kill it and try again", dir.display())]
    LeftOver {
        /// The postmaster.
        pid: i32,
        /// The cluster.
        dir: PathBuf,
    },
    /// The server ended instead of becoming ready.
    #[error("PostgreSQL did not start ({status}); the end of {} says:\n{tail}", log.display())]
    DidNotStart {
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of this start's log.
        tail: String,
    },
    /// A step took longer than it may.
    #[error("{what} took longer than {} s", limit.as_secs())]
    TooSlow {
        /// The step.
        what: &'static str,
        /// Its limit.
        limit: Duration,
    },
    /// The server ended by itself while it was needed.
    #[error("PostgreSQL ended by itself ({status}); see {}", log.display())]
    Ended {
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
    },
    /// The server runs, but role and databases could not be made.
    #[error("the embedded PostgreSQL refused to prepare its databases: {0}")]
    Prepare(#[from] sqlx::Error),
    /// The file system or the operating system refused something.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried, as the beginning of a sentence.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: says what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
