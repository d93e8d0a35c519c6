//! Making a cluster, and checking one that exists.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rand::distr::{Alphanumeric, SampleString};
use tokio::time::timeout;

use crate::Error;
use crate::binaries::{Binaries, VERSION};
use crate::home::Home;
use crate::owner::Owner;
use crate::postmaster::first_words;
use crate::settings::INITDB;

/// `initdb` takes two seconds; a slow disk under load may take many more.
const INITDB_LIMIT: Duration = Duration::from_mins(2);
const PASSWORD_CHARS: usize = 32;
/// `{home's name}{this}…` beside a home is an initialization that did not finish.
const UNFINISHED: &str = "-unfinished-";

/// Initializes `home` if it is not, in a folder beside it that is then moved into place: a program killed meanwhile
/// leaves nothing but that folder, which the next start clears away.
pub(crate) async fn ensure(home: &Home, owner: &Owner, binaries: &Binaries) -> Result<(), Error> {
    let parent = home.dir().parent().unwrap_or(home.dir());
    if home.is_initialized() {
        return check(home);
    }
    if home.dir().exists() {
        let reason = "it has no cluster in it".to_owned();
        return Err(Error::Damaged { path: home.dir().to_owned(), reason });
    }
    let name = home.dir().file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{name}{UNFINISHED}");
    clear_unfinished(parent, &prefix);
    let work = tempfile::Builder::new()
        .prefix(&prefix)
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(Error::io("cannot write in", parent))?;
    owner.give(work.path())?;
    let new = Home::at(work.path().to_owned());
    write_password(&new.admin_password(), owner)?;
    write_password(&new.role_password(), owner)?;
    initdb(&new, owner, binaries).await?;
    fs::rename(work.path(), home.dir()).map_err(Error::io("cannot move the new cluster to", home.dir()))?;
    // What it would delete is now the cluster's home.
    drop(work.keep());
    Ok(())
}

async fn initdb(home: &Home, owner: &Owner, binaries: &Binaries) -> Result<(), Error> {
    let failed = |reason: String| Error::Initialize { dir: home.cluster(), reason };
    let mut command = owner.command(&binaries.initdb());
    command.arg("--pgdata").arg(home.cluster()).arg("--pwfile").arg(home.admin_password()).args(INITDB);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(INITDB_LIMIT, command.output())
        .await
        .map_err(|_| Error::TooSlow { what: "initializing PostgreSQL", limit: INITDB_LIMIT })?
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(failed(first_words(&output))) }
}

/// The cluster must be of our major version and have its passwords.
fn check(home: &Home) -> Result<(), Error> {
    let path = home.cluster().join("PG_VERSION");
    let found = fs::read_to_string(&path).map_err(Error::io("cannot read", &path))?;
    if found.trim() != major() {
        return Err(Error::OtherVersion {
            dir: home.cluster(),
            found: found.trim().to_owned(),
            needed: VERSION,
        });
    }
    read_password(&home.admin_password())?;
    read_password(&home.role_password())?;
    Ok(())
}

fn major() -> &'static str {
    VERSION.split('.').next().unwrap_or(VERSION)
}

pub(crate) fn read_password(path: &Path) -> Result<String, Error> {
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    let password = fs::read_to_string(path).map_err(|error| damaged(error.to_string()))?;
    let password = password.trim();
    if password.is_empty() { Err(damaged("it is empty".to_owned())) } else { Ok(password.to_owned()) }
}

/// Letters and digits only, so that it needs no escaping in a URL or in SQL.
fn write_password(path: &Path, owner: &Owner) -> Result<(), Error> {
    let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_CHARS);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| {
        writeln!(file, "{password}")?;
        file.sync_all()
    })
    .map_err(Error::io("cannot write", path))?;
    owner.give(path)
}

/// An `initdb` that outlived its program may still be writing; what cannot be removed now is removed next time.
fn clear_unfinished(parent: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(dir = %entry.path().display(), %error, "cannot clear an unfinished initialization away");
        }
    }
}
