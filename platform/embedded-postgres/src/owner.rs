//! As whom PostgreSQL runs. It refuses root, so root lends it an unprivileged user, to whom the cluster then belongs.

use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use tokio::process::Command;

use crate::Error;

/// What most systems call `nobody`; used if the list of users names neither `postgres` nor `nobody`.
const NOBODY: u32 = 65534;

/// The user who owns the cluster and runs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    uid: u32,
    gid: u32,
    /// The process is root and acts as another user.
    lent: bool,
}

impl Owner {
    /// For the cluster `cluster`: the user who owns it if it exists, and the process's own user otherwise, unless that is
    /// root.
    pub(crate) fn of(cluster: &Path) -> Result<Self, Error> {
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        let existing = fs::metadata(cluster).ok();
        if uid != 0 {
            return match existing {
                Some(found) if found.uid() != uid => {
                    Err(Error::OtherOwner { dir: cluster.to_owned(), uid: found.uid() })
                }
                _ => Ok(Self { uid, gid, lent: false }),
            };
        }
        let (uid, gid) = match existing {
            Some(found) if found.uid() != 0 => (found.uid(), found.gid()),
            _ => unprivileged(&fs::read_to_string("/etc/passwd").unwrap_or_default()),
        };
        Ok(Self { uid, gid, lent: true })
    }

    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    /// A command that runs as this user, in its own process group so that Ctrl-C at the terminal reaches only us, and
    /// without the settings for PostgreSQL's programs that the caller's environment may hold.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").env("TZ", "UTC").current_dir("/").process_group(0);
        if self.lent {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes `path` this user's own.
    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        if !self.lent {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("cannot change the owner of", path))
    }

    /// Lets this user pass through `dir`, which is ours, and no other user.
    pub(crate) fn let_through(&self, dir: &Path) -> Result<(), Error> {
        let found = fs::metadata(dir).map_err(Error::io("cannot read", dir))?;
        if !self.lent || self.passes(&found) {
            return Ok(());
        }
        let action = "cannot change the permissions of";
        chown(dir, None, Some(self.gid)).map_err(Error::io(action, dir))?;
        fs::set_permissions(dir, Permissions::from_mode(found.mode() & 0o7777 | 0o010))
            .map_err(Error::io(action, dir))
    }

    /// Whether this user can get to `path`: may pass through it and every folder above. `path` must be absolute.
    pub(crate) fn reaches(&self, path: &Path) -> bool {
        self.stopped_at(path).is_none()
    }

    /// The topmost folder on the way to `path`, or `path` itself, through which this user may not pass.
    pub(crate) fn stopped_at<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let mut closed = path
            .ancestors()
            .filter(|dir| self.lent && !fs::metadata(dir).is_ok_and(|found| self.passes(&found)));
        closed.by_ref().last()
    }

    fn passes(&self, dir: &Metadata) -> bool {
        let bit = if dir.uid() == self.uid {
            0o100
        } else if dir.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        dir.mode() & bit != 0
    }
}

/// Makes `path`, which we wrote in `dir`, belong to whom `dir` belongs to: after root has used an ordinary user's
/// folder, that user can go on with it.
///
/// # Errors
/// [`Error::Io`].
pub fn share(path: &Path, dir: &Path) -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let dir = fs::metadata(dir).map_err(Error::io("cannot read", dir))?;
    chown(path, Some(dir.uid()), Some(dir.gid())).map_err(Error::io("cannot change the owner of", path))
}

/// The unprivileged user that a list of users (`passwd(5)`) offers.
fn unprivileged(passwd: &str) -> (u32, u32) {
    let find = |wanted: &str| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == wanted).then_some(())?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (uid != 0).then_some((uid, gid))
        })
    };
    find("postgres").or_else(|| find("nobody")).unwrap_or((NOBODY, NOBODY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_lends_postgres_before_nobody_and_never_itself() {
        let nobody = "root:x:0:0::/root:/bin/sh\nnobody:x:65533:65532::/:/bin/false\n";
        assert_eq!(unprivileged(nobody), (65533, 65532));
        assert_eq!(unprivileged(&format!("{nobody}postgres:x:101:104:,,,:/:/bin/sh\n")), (101, 104));
        assert_eq!(unprivileged(&format!("{nobody}postgres:x:0:0::/:/bin/sh\n")), (65533, 65532));
        assert_eq!(unprivileged("garbage"), (NOBODY, NOBODY));
    }
}
