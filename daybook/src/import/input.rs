use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// What is looked at to recognise a file, and to know it again, in bytes.
const HEAD_BYTES: u64 = 64 * 1024;
/// Largest window of a zstd frame, as `zstd --long` makes them: 128 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// The name of standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// A file or standard input, inflated while it is read.
pub(crate) struct Input {
    /// Inflated.
    pub(crate) text: Box<dyn BufRead + Send>,
    /// Its first bytes, inflated.
    pub(crate) head: Vec<u8>,
    /// How many bytes of the file have been read.
    pub(crate) read: Arc<AtomicU64>,
    /// How many it has; none for standard input.
    pub(crate) size: Option<u64>,
    /// Tells it from other files, and from itself once it has changed.
    pub(crate) fingerprint: String,
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Input {
    /// Opens a file, or standard input if its name is `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = || format!("cannot read {}", path.display());
        if is_standard(path) {
            return Self::of(Box::new(io::stdin()), None).map_err(Failure::io(cannot()));
        }
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened.map_err(|error| Failure::missing(path.display(), error))?;
        if metadata.is_dir() {
            return Err(Failure::Usage(format!("{} is a folder", path.display())));
        }
        Self::of(Box::new(file), Some(metadata.len())).map_err(Failure::io(cannot()))
    }

    fn of(sent: Box<dyn Read + Send>, size: Option<u64>) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut sent = BufReader::new(Counted { inner: sent, read: Arc::clone(&read) });
        let start = sent.fill_buf()?;
        let mut inflated: Box<dyn Read + Send> = if start.starts_with(GZIP) {
            Box::new(flate2::bufread::MultiGzDecoder::new(sent))
        } else if start.starts_with(ZSTD) {
            let mut decoder = zstd::Decoder::with_buffer(sent)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        } else {
            Box::new(sent)
        };
        let mut head = Vec::new();
        inflated.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
        let mut hash = Sha256::new();
        hash.update(size.unwrap_or(0).to_be_bytes());
        hash.update(&head);
        let fingerprint = short_hash(hash);
        let text = Box::new(BufReader::new(Cursor::new(head.clone()).chain(inflated)));
        Ok(Self { text, head, read, size, fingerprint })
    }
}

pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}

/// A file beside the input; in the working directory for standard input.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let path = if is_standard(path) { Path::new("stdin") } else { path };
    path.with_added_extension(extension)
}

/// A hash as text, the half of which is enough to tell contents apart.
pub(super) fn short_hash(hash: Sha256) -> String {
    domain::hex(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(sent: Vec<u8>) -> String {
        let mut input = Input::of(Box::new(Cursor::new(sent)), None).unwrap();
        let mut text = String::new();
        input.text.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_is_compressed_is_known_by_its_first_bytes() {
        let text = "{\"type\":\"a\"}\n".repeat(20_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        assert_eq!(read(gzip.finish().unwrap()), text);
        assert_eq!(read(zstd::encode_all(text.as_bytes(), 1).unwrap()), text);
        assert_eq!(read(text.clone().into_bytes()), text);
        assert_eq!(read(Vec::new()), "");
    }
}
