use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chassis::FieldError;
use serde::Serialize;

use super::input::beside;
use super::window::Held;

/// The file of what was refused. It is made when there is something to write.
pub(crate) struct Rejects {
    path: PathBuf,
    /// How long it is, in bytes.
    bytes: u64,
    file: Option<BufWriter<File>>,
}

/// Where they go unless another place is named.
pub(crate) fn rejects_path(input: &Path) -> PathBuf {
    beside(input, "rejects.ndjson")
}

/// A line of it.
#[derive(Serialize)]
struct Reject<'a> {
    /// Where the record begins in the file.
    line: u64,
    errors: &'a [FieldError],
    /// What was sent, or what could not be sent.
    record: &'a str,
}

impl Rejects {
    /// Goes on after so many bytes of the file; what an import before left goes if there are none.
    pub(crate) fn new(path: PathBuf, bytes: u64) -> io::Result<Self> {
        if bytes == 0 {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Self { path, bytes, file: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&mut self, held: &Held) -> io::Result<()> {
        let Some(errors) = &held.errors else { return Ok(()) };
        let reject = Reject { line: held.entry.line, errors, record: &held.entry.text };
        let mut line = serde_json::to_vec(&reject)?;
        line.push(b'\n');
        self.file()?.write_all(&line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Writes out what is gathered, and returns how long the file is.
    pub(super) fn flush(&mut self) -> io::Result<u64> {
        if let Some(file) = &mut self.file {
            file.flush()?;
        }
        Ok(self.bytes)
    }

    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
            // What was written after the last state that was kept is written again.
            let kept = self.bytes.min(file.metadata()?.len());
            file.set_len(kept)?;
            io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
            BufWriter::new(file)
        };
        Ok(self.file.insert(file))
    }
}

#[cfg(test)]
mod tests {
    use super::super::entries::Entry;
    use super::super::window::Window;
    use super::*;

    fn refused(line: u64) -> Held {
        let mut window = Window::default();
        window.extend(vec![Entry { line, text: "x".to_owned(), fault: Some("bad".to_owned()) }]);
        assert!(window.next_chunk(1).is_empty());
        window.settle(0).remove(0)
    }

    fn lines(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["line"].as_u64().unwrap())
            .collect()
    }

    #[test]
    fn what_was_written_after_the_last_state_is_written_again_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rejects");
        let mut rejects = Rejects::new(path.clone(), 0).unwrap();
        rejects.write(&refused(1)).unwrap();
        let kept = rejects.flush().unwrap();
        rejects.write(&refused(2)).unwrap();
        drop(rejects);
        assert_eq!(lines(&path), [1, 2]);
        let mut rejects = Rejects::new(path.clone(), kept).unwrap();
        rejects.write(&refused(2)).unwrap();
        rejects.write(&refused(3)).unwrap();
        rejects.flush().unwrap();
        assert_eq!(lines(&path), [1, 2, 3]);
        // An import from the beginning leaves nothing of the one before.
        Rejects::new(path.clone(), 0).unwrap();
        assert!(!path.exists());
    }
}
