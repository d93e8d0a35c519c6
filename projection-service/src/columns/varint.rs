//! Whole numbers of variable length (LEB128, signed ones in zigzag), and the blobs made of them.

/// A blob that is written.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

/// A blob that is read.
pub(super) struct Reader<'a>(&'a [u8]);

/// A blob is not what it should be: it was cut short, or written by a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a column of the read model cannot be read: {0}")]
pub(crate) struct Unreadable(pub(crate) &'static str);

const CUT_SHORT: Unreadable = Unreadable("it was cut short");
const BITS: u32 = 7;
const MORE: u8 = 0x80;

impl Writer {
    pub(super) fn unsigned(&mut self, mut number: u64) {
        while number >= u64::from(MORE) {
            self.0.push(number as u8 | MORE);
            number >>= BITS;
        }
        self.0.push(number as u8);
    }

    pub(super) fn signed(&mut self, number: i64) {
        self.unsigned(((number << 1) ^ (number >> 63)) as u64);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn double(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// The blob, compressed where that makes it smaller.
    pub(super) fn finish(self) -> Vec<u8> {
        let compressed = lz4_flex::compress_prepend_size(&self.0);
        let (form, content) =
            if compressed.len() < self.0.len() { (Form::Lz4, compressed) } else { (Form::Plain, self.0) };
        [&[form as u8], content.as_slice()].concat()
    }
}

/// The first byte of a blob.
#[derive(Clone, Copy)]
enum Form {
    Plain = 0,
    Lz4 = 1,
}

/// Undoes [`Writer::finish`].
pub(super) fn unpack(blob: &[u8]) -> Result<Vec<u8>, Unreadable> {
    match blob.split_first() {
        Some((form, content)) if *form == Form::Plain as u8 => Ok(content.to_vec()),
        Some((form, content)) if *form == Form::Lz4 as u8 => {
            lz4_flex::decompress_size_prepended(content).map_err(|_| Unreadable("it cannot be decompressed"))
        }
        _ => Err(Unreadable("it has an unknown form")),
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(unpacked: &'a [u8]) -> Self {
        Self(unpacked)
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, Unreadable> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = self.0.split_first().ok_or(CUT_SHORT)?;
            self.0 = rest;
            number |= u64::from(byte & !MORE).checked_shl(shift).ok_or(CUT_SHORT)?;
            if byte & MORE == 0 {
                return Ok(number);
            }
            shift += BITS;
        }
    }

    pub(super) fn signed(&mut self) -> Result<i64, Unreadable> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.unsigned()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable("a text is not UTF-8"))
    }

    pub(super) fn double(&mut self) -> Result<f64, Unreadable> {
        let (bytes, rest) = self.0.split_first_chunk::<8>().ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(f64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let numbers = [0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN];
        let mut writer = Writer::default();
        for number in numbers {
            writer.signed(number);
        }
        writer.unsigned(u64::MAX);
        writer.double(0.1);
        writer.bytes("é".repeat(100).as_bytes());
        let blob = unpack(&writer.finish()).unwrap();
        let mut reader = Reader::new(&blob);
        assert_eq!(numbers.map(|_| reader.signed().unwrap()), numbers);
        assert_eq!((reader.unsigned(), reader.double()), (Ok(u64::MAX), Ok(0.1)));
        assert_eq!(reader.text().unwrap().chars().count(), 100);
        assert_eq!(reader.unsigned(), Err(CUT_SHORT));
        assert!(unpack(&[7, 1]).is_err() && unpack(&[]).is_err());
    }
}
