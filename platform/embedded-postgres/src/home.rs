//! Where the cluster of a data folder lies, and what lies beside it.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Error;
use crate::owner::{Owner, share};

/// Clusters of data folders that PostgreSQL's user cannot get to, such as those below `/root`.
const ELSEWHERE: &str = "/var/lib/daybook";
/// The note in such a data folder that says where its cluster is.
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

/// Where the cluster of `data_dir` is, if it has been decided.
pub(crate) fn find(data_dir: &Path) -> Option<Home> {
    if let Ok(note) = fs::read_to_string(data_dir.join(NOTE)) {
        return Some(Home::at(PathBuf::from(note.trim_end_matches('\n'))));
    }
    let inside = data_dir.join("postgres");
    inside.exists().then(|| Home::at(inside))
}

/// Decides where a new cluster of `data_dir` (absolute) goes: inside, if `owner` can get there.
pub(crate) fn choose(data_dir: &Path, owner: &Owner) -> Result<Home, Error> {
    owner.let_through(data_dir)?;
    if owner.reaches(data_dir) {
        return Ok(Home::at(data_dir.join("postgres")));
    }
    let parent = Path::new(ELSEWHERE);
    make_public_dir(parent)?;
    let dir = parent.join(name_of(data_dir));
    let note = data_dir.join(NOTE);
    fs::write(&note, format!("{}\n", dir.display())).map_err(Error::io("cannot write", &note))?;
    share(&note, data_dir)?;
    tracing::info!(data_dir = %data_dir.display(), cluster = %dir.display(),
        "PostgreSQL's user cannot get to the data folder; the cluster goes elsewhere");
    Ok(Home::at(dir))
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

fn name_of(data_dir: &Path) -> String {
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    digest.iter().take(8).fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}
