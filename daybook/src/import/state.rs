use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::input::{beside, is_standard};
use super::outcome::Totals;
use crate::folder::write_private;

/// How far an import has come, in a file beside the input, so that the next one goes on there. Standard input has none.
pub(crate) struct Resume {
    path: Option<PathBuf>,
    key: String,
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Which file it is about, and how that is read.
    key: String,
    /// The line of the last record of which all is known.
    pub(crate) line: u64,
    /// How long the file of rejects was then, in bytes.
    pub(crate) rejects_bytes: u64,
    pub(crate) totals: Totals,
}

impl Resume {
    /// `key` tells the file and how it is read from others; what was kept about another one does not count.
    pub(crate) fn of(input: &Path, key: String) -> Self {
        Self { path: (!is_standard(input)).then(|| beside(input, "import.json")), key }
    }

    /// Where an import before stopped.
    pub(crate) fn read(&self) -> Option<Kept> {
        let kept: Kept = serde_json::from_slice(&fs::read(self.path.as_ref()?).ok()?).ok()?;
        (kept.key == self.key).then_some(kept)
    }

    /// Keeps how far it has come.
    pub(crate) fn keep(&self, line: u64, rejects_bytes: u64, totals: Totals) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let kept = Kept { key: self.key.clone(), line, rejects_bytes, totals };
        write_private(path, &serde_json::to_vec(&kept)?)
    }

    /// It has come to the end.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_for_the_same_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("events.ndjson");
        let resume = Resume::of(&input, "one".to_owned());
        assert_eq!(resume.read(), None);
        let totals = Totals { accepted: 7, ..Totals::default() };
        resume.keep(9, 120, totals).unwrap();
        assert_eq!(
            resume.read().map(|kept| (kept.line, kept.rejects_bytes, kept.totals)),
            Some((9, 120, totals))
        );
        assert_eq!(Resume::of(&input, "another".to_owned()).read(), None);
        resume.remove().unwrap();
        resume.remove().unwrap();
        assert_eq!(resume.read(), None);
        let standard = Resume::of(Path::new("-"), "one".to_owned());
        standard.keep(9, 120, totals).unwrap();
        assert_eq!(standard.read(), None);
    }
}
