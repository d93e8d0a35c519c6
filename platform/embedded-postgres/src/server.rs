use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::binaries::Binaries;
use crate::databases::{ROLE, prepare};
use crate::home::{self, Home};
use crate::lock::FolderLock;
use crate::owner::{Owner, share};
use crate::postmaster::Postmaster;
use crate::settings::ADMIN;
use crate::{Error, Options, cluster, leftover, port};

/// How often another port is tried when another program takes the chosen one before the server does.
const PORT_ATTEMPTS_MAX: usize = 5;
/// How long processes of a killed server may go on, which keep a new one from starting.
const ORPHANS_LIMIT: Duration = Duration::from_secs(10);
const ORPHANS_POLL: Duration = Duration::from_millis(200);

/// A running server. Dropped without [`Server::stop`], it is stopped and given a second.
#[derive(Debug)]
pub struct Server {
    // Fields are dropped in this order: the server stops before its folder is free.
    postmaster: Postmaster,
    _lock: FolderLock,
    home: Home,
    port: u16,
    admin_password: String,
    role_password: String,
}

impl Server {
    /// Starts the server of a data folder, with everything that is missing: the folder, the binaries (downloaded,
    /// with progress on standard error), the cluster, its role and databases. Clears away what a killed program left.
    ///
    /// Cancel safe: a future dropped half-way stops what it has started.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::Ended`]; nothing runs then.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let data_dir = make_data_dir(&options.data_dir)?;
        let lock = FolderLock::take(&data_dir)?;
        let home = home::of(&data_dir)?;
        let owner = Owner::of(&home.cluster())?;
        home::make_reachable(&data_dir, &owner)?;
        let binaries = Binaries::ensure(&owner).await?;
        cluster::ensure(&home, &owner, &binaries).await?;
        leftover::clear(&home.cluster(), &owner).await?;

        let log = options.log_file.clone().unwrap_or_else(|| home.log());
        let (postmaster, port) = start_postmaster(&home, &owner, &binaries, options.port, &log).await?;
        share(&log, home.dir())?;
        port::record(&home, port)?;
        let server = Self {
            postmaster,
            _lock: lock,
            port,
            admin_password: cluster::read_password(&home.admin_password())?,
            role_password: match options.role_password {
                Some(password) => password,
                None => cluster::read_password(&home.role_password())?,
            },
            home,
        };
        prepare(&server.admin_url(), &server.role_password).await?;
        Ok(server)
    }

    /// The port it listens on, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the cluster lies, in the data folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.home.dir()
    }

    /// The database of `service` (`activities`, `customers`, `reports`), as its owner.
    #[must_use]
    pub fn database_url(&self, service: &str) -> String {
        format!("postgres://{ROLE}:{}@127.0.0.1:{}/daybook_{service}", self.role_password, self.port)
    }

    /// The database `postgres`, as superuser.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("postgres://{ADMIN}:{}@127.0.0.1:{}/postgres", self.admin_password, self.port)
    }

    /// Waits until the server ends by itself, which is always a failure ([`Error::Ended`]). Cancel safe.
    pub async fn ended(&mut self) -> Error {
        self.postmaster.ended().await
    }

    /// Stops the server: running statements are broken off, and what is committed is on disk. Takes 8 s at most.
    ///
    /// # Errors
    /// [`Error::TooSlow`] if it had to be killed; the next start recovers.
    pub async fn stop(self) -> Result<(), Error> {
        self.postmaster.stop().await
    }
}

async fn start_postmaster(
    home: &Home,
    owner: &Owner,
    binaries: &Binaries,
    wanted: Option<u16>,
    log: &Path,
) -> Result<(Postmaster, u16), Error> {
    let deadline = Instant::now() + ORPHANS_LIMIT;
    let mut port_attempts = 0;
    loop {
        let port = port::choose(wanted, home)?;
        let command = owner.command(&binaries.postgres());
        let mut postmaster = Postmaster::spawn(command, &home.cluster(), port, log)?;
        let error = match postmaster.ready().await {
            Ok(()) => return Ok((postmaster, port)),
            Err(error) => error,
        };
        let Error::DidNotStart { tail, .. } = &error else { return Err(error) };
        if tail.contains("could not create any TCP/IP sockets") {
            if !port::is_replaceable(wanted) {
                return Err(Error::PortTaken(port));
            }
            port_attempts += 1;
            if port_attempts == PORT_ATTEMPTS_MAX {
                return Err(error);
            }
        } else if tail.contains("pre-existing shared memory block") && Instant::now() < deadline {
            sleep(ORPHANS_POLL).await;
        } else {
            return Err(error);
        }
    }
}

/// Makes the folder if need be and says where it really is. Others need not see into a new one.
fn make_data_dir(dir: &Path) -> Result<PathBuf, Error> {
    if !dir.is_dir() {
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or(Ok(()), fs::create_dir_all).map_err(Error::io("cannot make the folder above", dir))?;
        DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(Error::io("cannot make", dir))?;
    }
    fs::canonicalize(dir).map_err(Error::io("cannot find", dir))
}
