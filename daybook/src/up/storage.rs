use std::time::{Duration, Instant};

use chassis::Backoff;
use embedded_postgres::{Error, FolderLock, Options, Server};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::databases::Databases;
use crate::failure::Failure;
use crate::folder::DataFolder;

/// How long the embedded server is tried to be started again.
const RESTART_LIMIT: Duration = Duration::from_mins(2);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
/// A server that ran for so long did not fail because of how it was started.
const LIVED_LONG: Duration = Duration::from_mins(1);
/// That of the first customer.
const LOGIN: &str = "login.json";
const DEATHS_IN_A_ROW_MAX: u32 = 5;

/// Where the system keeps everything: an embedded server, which is kept running, or one that exists.
pub(crate) struct Storage {
    databases: Databases,
    held: Held,
}

enum Held {
    /// Kept running by a task, until `release` is cancelled.
    Embedded { task: Option<JoinHandle<Result<Option<Server>, Error>>>, release: CancellationToken },
    /// A server outside; the data folder is locked against other programs.
    Outside { _lock: FolderLock },
}

impl Storage {
    /// Takes the data folder and opens the databases: those on the server at `url`, or of an embedded one.
    ///
    /// # Errors
    /// [`Failure::Missing`], which names what is missing or in the way.
    pub(crate) async fn open(folder: &DataFolder, url: Option<&str>) -> Result<Self, Failure> {
        if let Some(url) = url {
            folder.make()?;
            let lock = FolderLock::take(folder.path())?;
            let databases = Databases::on_server(url).await?;
            return Ok(Self { databases, held: Held::Outside { _lock: lock } });
        }
        refuse_half_a_folder(folder)?;
        let mut options = Options::new(folder.path());
        let server = Server::start(options.clone()).await?;
        let databases = Databases::of_embedded(&server);
        // The services know this port now.
        options.port = Some(server.port());
        let release = CancellationToken::new();
        let task = Some(tokio::spawn(keep(server, options, release.clone())));
        Ok(Self { databases, held: Held::Embedded { task, release } })
    }

    /// The services' databases.
    pub(crate) fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Waits until the database is lost for good. Cancel safe.
    pub(crate) async fn lost(&mut self) -> Failure {
        let Held::Embedded { task: held, .. } = &mut self.held else { return std::future::pending().await };
        let Some(task) = held else { return std::future::pending().await };
        let ended = task.await;
        *held = None;
        match ended {
            Ok(Err(error)) => error.into(),
            Ok(Ok(_)) => Failure::Failed("the database was stopped".to_owned()),
            Err(error) => Failure::Failed(format!("the database is not looked after any more: {error}")),
        }
    }

    /// Stops the embedded server, and breaks it off at the limit; what is committed is safe either way.
    pub(crate) async fn stop(self, limit: Duration) {
        let Held::Embedded { task: Some(task), release } = self.held else { return };
        release.cancel();
        let stopping = async {
            match task.await {
                Ok(Ok(Some(server))) => server.stop().await,
                Ok(Err(error)) => Err(error),
                Ok(Ok(None)) | Err(_) => Ok(()),
            }
        };
        match tokio::time::timeout(limit, stopping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the database did not stop as it should"),
            Err(_) => tracing::warn!("the database did not stop within {limit:?}; the next start recovers"),
        }
    }
}

/// A login without the database that knows it is not a folder to start anew in: no login would work, and what was lost would
/// not be noticed.
fn refuse_half_a_folder(folder: &DataFolder) -> Result<(), Failure> {
    let login = folder.path().join(LOGIN);
    if !login.exists() || embedded_postgres::exists(folder.path())? {
        return Ok(());
    }
    let (folder, login) = (folder.path().display(), login.display());
    Err(Failure::Missing(format!(
        "{folder} has a login and no database: restore the whole folder from its backup, give --database-url as when the \
         login was made, or remove {login} to start anew"
    )))
}

/// Keeps a server running until `release`, then hands it back, unless it is just not running.
async fn keep(server: Server, options: Options, release: CancellationToken) -> Result<Option<Server>, Error> {
    let mut server = server;
    let mut deaths = 0;
    loop {
        let started = Instant::now();
        let error = tokio::select! {
            biased;
            () = release.cancelled() => return Ok(Some(server)),
            error = server.ended() => error,
        };
        deaths = if started.elapsed() > LIVED_LONG { 1 } else { deaths + 1 };
        if deaths > DEATHS_IN_A_ROW_MAX {
            return Err(error);
        }
        tracing::error!(%error, "the database is gone; starting it again");
        // Gives the folder back, which the next one takes.
        drop(server);
        server = tokio::select! {
            () = release.cancelled() => return Ok(None),
            restarted = restart(&options) => restarted?,
        };
        tracing::info!("the database is back");
    }
}

async fn restart(options: &Options) -> Result<Server, Error> {
    let began = Instant::now();
    let mut backoff = BACKOFF;
    loop {
        let error = match Server::start(options.clone()).await {
            Ok(server) => return Ok(server),
            Err(error) if began.elapsed() > RESTART_LIMIT => return Err(error),
            Err(error) => error,
        };
        let pause = backoff.failed();
        tracing::warn!(%error, retry_in = ?pause, "the database does not start");
        tokio::time::sleep(pause).await;
    }
}
