//! The rows of `COPY … (FORMAT binary)` (PostgreSQL, "COPY", binary format): a header, then rows of fields, each with its
//! length before it, and a trailer.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::LogError;
use crate::bulk::EPOCH;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The length of the signature, the flags and the length of what extends the header.
const HEADER_LENGTH: usize = SIGNATURE.len() + 8;
/// In the place of a row's number of fields.
const TRAILER: [u8; 2] = [0xff, 0xff];

const CUT_SHORT: LogError = LogError::Unreadable("a row was cut short");

/// What follows the header, if there is one.
pub(crate) fn after_header(bytes: &[u8]) -> Result<&[u8], LogError> {
    if !bytes.starts_with(SIGNATURE) {
        return Ok(bytes);
    }
    let extension = bytes.get(HEADER_LENGTH - 4..HEADER_LENGTH).ok_or(CUT_SHORT)?;
    let extension = extension.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    bytes.get(HEADER_LENGTH + extension..).ok_or(CUT_SHORT)
}

pub(crate) fn is_trailer(bytes: &[u8]) -> bool {
    bytes.starts_with(&TRAILER)
}

/// How many bytes the first row has.
pub(crate) fn row_length(bytes: &[u8]) -> Result<usize, LogError> {
    let mut fields = Fields::of(bytes)?;
    while fields.left > 0 {
        fields.next()?;
    }
    Ok(bytes.len() - fields.rest.len())
}

/// The fields of a row, in order.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    left: u16,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(row: &'a [u8]) -> Result<Self, LogError> {
        let (count, rest) = row.split_first_chunk::<2>().ok_or(CUT_SHORT)?;
        Ok(Self { rest, left: u16::from_be_bytes(*count) })
    }

    fn next(&mut self) -> Result<&'a [u8], LogError> {
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or(CUT_SHORT)?;
        self.left = self.left.checked_sub(1).ok_or(CUT_SHORT)?;
        // A negative length is null, which no column of the log can be.
        let length = usize::try_from(i32::from_be_bytes(*length))
            .map_err(|_| LogError::Unreadable("a field is null"))?;
        let (field, rest) = rest.split_at_checked(length).ok_or(CUT_SHORT)?;
        self.rest = rest;
        Ok(field)
    }

    pub(crate) fn number(&mut self) -> Result<i64, LogError> {
        let bytes = self.next()?.try_into().map_err(|_| LogError::Unreadable("a number has no 8 bytes"))?;
        Ok(i64::from_be_bytes(bytes))
    }

    pub(crate) fn time(&mut self) -> Result<DateTime<Utc>, LogError> {
        EPOCH
            .checked_add_signed(TimeDelta::microseconds(self.number()?))
            .ok_or(LogError::Unreadable("a time is out of range"))
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, LogError> {
        Uuid::from_slice(self.next()?).map_err(|_| LogError::Unreadable("an id has no 16 bytes"))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, LogError> {
        std::str::from_utf8(self.next()?).map_err(|_| LogError::Unreadable("a text is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_a_header_and_end_with_a_trailer() {
        let row = [&[0, 2, 0, 0, 0, 8][..], &7_i64.to_be_bytes(), &[0, 0, 0, 2], "é".as_bytes()].concat();
        let all = [SIGNATURE, &[0; 8], &row, &TRAILER].concat();
        let rows = after_header(&all).unwrap();
        assert_eq!(row_length(rows).unwrap(), row.len());
        assert!(is_trailer(&rows[row.len()..]) && !is_trailer(rows));
        let mut fields = Fields::of(rows).unwrap();
        assert_eq!((fields.number().unwrap(), fields.text().unwrap()), (7, "é"));
        assert!(fields.text().is_err());
        assert_eq!(after_header(&row).unwrap(), row);
        for cut in [1, 5, row.len() - 1] {
            assert!(row_length(&row[..cut]).is_err(), "{cut}");
        }
        let null = [0, 1, 0xff, 0xff, 0xff, 0xff];
        assert!(row_length(&null).is_err());
    }
}
