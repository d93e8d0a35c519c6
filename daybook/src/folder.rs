use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

mod addresses;

pub(crate) use addresses::Addresses;

/// Where a system keeps its data by default.
pub(crate) const DEFAULT: &str = ".daybook";

/// A data folder, and what a running program leaves in it besides the database: files that only its owner can read.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder(PathBuf);

impl DataFolder {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Its full path, for people who will read it from elsewhere.
    pub(crate) fn shown(&self) -> String {
        fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone()).display().to_string()
    }

    /// Makes it if it does not exist.
    pub(crate) fn make(&self) -> Result<(), Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o750).create(&self.0);
        made.map_err(Failure::io(format!("cannot make {}", self.0.display())))
    }

    /// A file's content; none if there is no such file.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        let path = self.0.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io(format!("cannot read {}", path.display()))(error)),
        };
        let damaged =
            |error| Failure::Failed(format!("{} is damaged: {error}; move it away", path.display()));
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// Writes a file in one step: it is there as a whole or as it was.
    pub(crate) fn write<T: Serialize>(&self, name: &str, content: &T) -> Result<(), Failure> {
        let mut text = serde_json::to_vec_pretty(content)
            .map_err(|error| Failure::Failed(format!("cannot write {name}: {error}")))?;
        text.push(b'\n');
        let path = self.0.join(name);
        write_private(&path, &text).map_err(Failure::io(format!("cannot write {}", path.display())))?;
        embedded_postgres::share(&path, &self.0)?;
        Ok(())
    }

    /// Removes a file that may not be there.
    pub(crate) fn remove(&self, name: &str) {
        let path = self.0.join(name);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove a file");
        }
    }
}

/// Writes beside the file and moves it into place. Others than the owner see nothing of it, not even for a moment.
pub(crate) fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    // Left over from a program that was killed, perhaps with other permissions.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_can_be_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path().join("new"));
        folder.make().unwrap();
        folder.make().unwrap();
        assert_eq!(folder.read::<String>("login.json").unwrap(), None);
        fs::write(folder.path().join("login.json.unfinished"), "left over").unwrap();
        for text in ["first", "second"] {
            folder.write("login.json", &text).unwrap();
            assert_eq!(folder.read::<String>("login.json").unwrap().as_deref(), Some(text));
            let mode = fs::metadata(folder.path().join("login.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        folder.remove("login.json");
        folder.remove("login.json");
        assert_eq!(folder.read::<String>("login.json").unwrap(), None);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path());
        fs::write(dir.path().join("login.json"), "{").unwrap();
        let error = folder.read::<Addresses>("login.json").unwrap_err().to_string();
        assert!(error.contains("login.json is damaged"), "{error}");
    }
}
