use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Error;
use crate::owner::share;

const POLL: Duration = Duration::from_millis(200);

/// An exclusive lock on a folder, which the operating system gives back when the process ends, however it ends.
/// The file stays: deleting it would let two processes lock two files of the same name.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks `dir` at once or says who holds it.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`], or what the file system says.
    pub fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("lock");
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::AlreadyRunning { dir: dir.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(Error::io("cannot lock", &path)(source)),
        }
        share(&path, dir)?;
        write_pid(&mut file).map_err(Error::io("cannot write", &path))?;
        Ok(Self { _file: file })
    }

    /// Locks the file `path`, waiting for other processes at most `limit`; `on_wait` is called once if it must wait.
    pub(crate) async fn wait(
        path: &Path,
        limit: Duration,
        what: &'static str,
        on_wait: impl FnOnce(),
    ) -> Result<Self, Error> {
        let file = open(path)?;
        let deadline = Instant::now() + limit;
        let mut on_wait = Some(on_wait);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {}
                Err(TryLockError::WouldBlock) => return Err(Error::TooSlow { what, limit }),
                Err(TryLockError::Error(source)) => return Err(Error::io("cannot lock", path)(source)),
            }
            if let Some(on_wait) = on_wait.take() {
                on_wait();
            }
            sleep(POLL).await;
        }
    }
}

fn open(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(Error::io("cannot open", path))
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}
