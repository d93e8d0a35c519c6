//! Where the cluster of a data folder lies, and what lies beside it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::owner::Owner;

/// The note of earlier versions in a data folder that PostgreSQL's user could not get to: it names the folder elsewhere in
/// which the cluster lies.
const NOTE: &str = "postgres.location";

/// The folder of a cluster and its companions. It is complete or absent.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    dir: PathBuf,
}

impl Home {
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder that PostgreSQL calls its data directory.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.dir.join("cluster")
    }

    /// The superuser's password.
    pub(crate) fn admin_password(&self) -> PathBuf {
        self.dir.join("admin.password")
    }

    /// The password of the role that owns Daybook's databases.
    pub(crate) fn role_password(&self) -> PathBuf {
        self.dir.join("daybook.password")
    }

    /// The port of the last time.
    pub(crate) fn port(&self) -> PathBuf {
        self.dir.join("port")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("postgres.log")
    }

    pub(crate) fn is_initialized(&self) -> bool {
        self.cluster().join("PG_VERSION").exists()
    }

    /// A home still to be filled, at `dir`.
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir }
    }
}

/// The cluster of `data_dir`, which lies in it and nowhere else.
///
/// # Errors
/// [`Error::Elsewhere`] or [`Error::ElsewhereGone`] for a folder of an earlier version whose cluster lies outside of it.
pub(crate) fn of(data_dir: &Path) -> Result<Home, Error> {
    let inside = Home::at(data_dir.join("postgres"));
    let note = data_dir.join(NOTE);
    let named = match fs::read_to_string(&note) {
        Ok(named) => PathBuf::from(named.trim_end_matches('\n')),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(inside),
        Err(error) => return Err(Error::io("cannot read", &note)(error)),
    };
    if Home::at(named.clone()).is_initialized() {
        Err(Error::Elsewhere { dir: data_dir.to_owned(), cluster: named })
    } else {
        Err(Error::ElsewhereGone { dir: data_dir.to_owned(), cluster: named })
    }
}

/// Makes sure that `owner` can get to the cluster in `data_dir` (absolute, without symbolic links): it may pass through the
/// folder itself, which is ours to arrange; the folders above are not.
///
/// # Errors
/// [`Error::OutOfReach`], which says which of them is in the way.
pub(crate) fn make_reachable(data_dir: &Path, owner: &Owner) -> Result<(), Error> {
    owner.let_through(data_dir)?;
    match owner.stopped_at(data_dir) {
        None => Ok(()),
        Some(closed) => {
            Err(Error::OutOfReach { dir: data_dir.to_owned(), uid: owner.uid(), closed: closed.to_owned() })
        }
    }
}

/// Makes `dir` and all above it, for everyone to read whatever the umask says; leaves alone what exists.
pub(crate) fn make_public_dir(dir: &Path) -> Result<(), Error> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        make_public_dir(parent)?;
    }
    let made = DirBuilder::new().mode(0o755).create(dir).and_then(|()| make_public(dir));
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::io("cannot make", dir)(error))
        }
        _ => Ok(()),
    }
}

pub(crate) fn make_public(dir: &Path) -> std::io::Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
}
