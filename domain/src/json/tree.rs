use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::Decimal;

/// Deeper values are not compared: whatever is stored is less deep.
const DEPTH_MAX: usize = 128;

/// A JSON value to be compared: keys in order, strings without escapes, numbers as decimals.
#[derive(Debug, PartialEq)]
pub(super) enum Tree<'a> {
    /// `null`, `true` or `false`.
    Literal(&'a str),
    Number(Decimal),
    /// A number whose exponent is beyond [`Decimal`]: compared as it is written.
    Unbounded(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// Of a key that is given twice, the last one counts.
    Object(BTreeMap<Cow<'a, str>, Self>),
}

impl<'a> Tree<'a> {
    /// Reads valid JSON; `None` for a value that is too deep.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        Reader { rest: json }.value(0)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Tree<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.text().map(Tree::Text),
            b'-' | b'0'..=b'9' => {
                let number =
                    self.take_until(|byte| !matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9'));
                Some(Decimal::parse(number).map_or(Tree::Unbounded(number), Tree::Number))
            }
            _ => Some(Tree::Literal(self.take_until(|byte| !byte.is_ascii_lowercase()))),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Tree<'a>> {
        let mut items = Vec::new();
        while self.next_of(b']', items.is_empty())? {
            items.push(self.value(depth + 1)?);
        }
        Some(Tree::List(items))
    }

    fn object(&mut self, depth: usize) -> Option<Tree<'a>> {
        let mut entries = BTreeMap::new();
        let mut is_first = true;
        while self.next_of(b'}', std::mem::take(&mut is_first))? {
            self.peek()?;
            let key = self.text()?;
            // The colon.
            self.peek()?;
            self.skip(1)?;
            entries.insert(key, self.value(depth + 1)?);
        }
        Some(Tree::Object(entries))
    }

    /// Goes past the bracket or comma before the next item; `false` at the end.
    fn next_of(&mut self, end: u8, is_first: bool) -> Option<bool> {
        if is_first {
            // The opening bracket.
            self.skip(1)?;
        }
        let byte = self.peek()?;
        if byte == end || byte == b',' {
            self.skip(1)?;
        }
        Some(byte != end)
    }

    /// The next byte that is no spacing.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
        self.rest.bytes().next()
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.rest = self.rest.get(bytes..)?;
        Some(())
    }

    fn take_until(&mut self, ends: impl Fn(u8) -> bool) -> &'a str {
        let length = self.rest.bytes().position(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let bytes = self.rest.as_bytes();
        let mut end = 1;
        let mut is_escaped = false;
        while *bytes.get(end)? != b'"' {
            let is_escape = bytes[end] == b'\\';
            is_escaped |= is_escape;
            end += if is_escape { 2 } else { 1 };
        }
        let quoted = self.rest.get(..=end)?;
        self.skip(end + 1)?;
        let raw = &quoted[1..end];
        if !is_escaped {
            return Some(Cow::Borrowed(raw));
        }
        // A lone surrogate is no text; it is compared as it is written.
        Some(serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(raw), Cow::Owned))
    }
}
