//! A PostgreSQL server that lives in a data folder: started with the program, stopped with it, found again next time.
//!
//! The binaries are downloaded once per machine ([`VERSION`]) and shared; the cluster lies in `DATA_DIR/postgres/`.
//!
//! Invariants:
//! * What lies under the data folder is all there is: a copy of it is a copy of everything, and a folder in which
//!   PostgreSQL cannot serve is refused.
//! * One program per data folder: `DATA_DIR/lock` is locked for as long as a [`Server`] lives.
//! * A cluster is complete or absent: it is initialized beside its place and moved there in one step.
//! * A postmaster found in our data folder is left over from a program that was killed. It is stopped, never reused:
//!   its settings would be unknown.
//! * PostgreSQL never runs as root. Started by root, it runs as an unprivileged user who owns the cluster.
//! * It listens on the loopback address only, and asks everyone for a password.
//! * Every wait has a limit. An error says what to do about it.

mod binaries;
mod cluster;
mod databases;
mod error;
mod home;
mod leftover;
mod lock;
mod owner;
mod port;
mod postmaster;
mod server;
mod settings;

use std::path::{Path, PathBuf};

pub use binaries::VERSION;
pub use databases::DATABASES;
pub use error::Error;
pub use lock::FolderLock;
pub use owner::share;
pub use server::Server;

/// What [`Server::start`] needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder; made if it does not exist.
    pub data_dir: PathBuf,
    /// The port to listen on. `None` takes that of the last time if it is free, and any free one otherwise;
    /// `Some(0)` takes any free one. Any other port is taken or refused, never replaced.
    pub port: Option<u16>,
    /// Where the server logs to; `None` is `postgres.log` beside the cluster.
    pub log_file: Option<PathBuf>,
    /// The password of the role that owns the databases, from this start on: letters and digits only. `None` is a random
    /// one, made with the cluster and kept beside it.
    pub role_password: Option<String>,
}

impl Options {
    /// A server in `data_dir`, on the port of the last time, with its log beside the cluster.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), port: None, log_file: None, role_password: None }
    }
}

/// Whether `data_dir` holds a cluster that [`Server::start`] would find again.
///
/// # Errors
/// [`Error::Elsewhere`] or [`Error::ElsewhereGone`] for a folder of an earlier version whose cluster lies outside of it.
pub fn exists(data_dir: &Path) -> Result<bool, Error> {
    Ok(home::of(data_dir)?.is_initialized())
}
