use bytes::{Bytes, BytesMut};

/// The most lines of a group: as many as a batch may have activities.
pub(super) const GROUP_LINES_MAX: usize = 1_000;
/// A group with so much text takes no further line, in bytes.
const GROUP_BYTES: usize = 1024 * 1024;
/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Cuts a text into lines while it comes, and holds no more of it than one group and one line.
pub(super) struct Splitter {
    line_bytes_max: usize,
    /// The lines of the group, and after them the beginning of the next line.
    text: BytesMut,
    /// Where in the text the next line begins.
    begins: usize,
    /// Where in the text its end has not been looked for yet.
    unseen: usize,
    /// Whether the line is too long, so that the rest of it is thrown away.
    is_skipping: bool,
    /// Lines that have ended, in this group and before it.
    ended: u64,
    lines: Vec<Line>,
}

/// Lines that are recorded together.
#[derive(Debug)]
pub(super) struct Group {
    text: Bytes,
    /// Number of the last line.
    pub(super) last: u64,
    lines: Vec<Line>,
}

/// A line, which ends in the text before this place.
#[derive(Clone, Copy, Debug)]
struct Line {
    end: usize,
    is_too_long: bool,
}

impl Splitter {
    /// A line may have at most `line_bytes_max` bytes.
    pub(super) fn new(line_bytes_max: usize) -> Self {
        Self {
            line_bytes_max,
            text: BytesMut::new(),
            begins: 0,
            unseen: 0,
            is_skipping: false,
            ended: 0,
            lines: Vec::new(),
        }
    }

    /// Where the text goes on; [`Self::split`] looks at what was added.
    pub(super) fn text(&mut self) -> &mut BytesMut {
        &mut self.text
    }

    /// Whether the group takes no further line.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= GROUP_LINES_MAX || self.begins >= GROUP_BYTES
    }

    /// Whether the group has a line.
    pub(super) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Finds the lines that have ended, until the group is full.
    pub(super) fn split(&mut self) {
        while !self.is_full() {
            let Some(at) = memchr::memchr(b'\n', &self.text[self.unseen..]) else {
                self.unseen = self.text.len();
                self.forget_too_long();
                return;
            };
            self.end_line(self.unseen + at + 1);
        }
    }

    /// What is left at the end of the text is a line too.
    pub(super) fn finish(&mut self) {
        if self.text.len() > self.begins || self.is_skipping {
            self.end_line(self.text.len());
        }
    }

    fn end_line(&mut self, end: usize) {
        let is_too_long = self.is_skipping || end - self.begins > self.line_bytes_max + 1;
        (self.begins, self.unseen, self.is_skipping) = (end, end, false);
        self.ended += 1;
        self.lines.push(Line { end, is_too_long });
    }

    /// Throws away what has come of a line that is too long already.
    fn forget_too_long(&mut self) {
        if self.is_skipping || self.text.len() - self.begins > self.line_bytes_max {
            self.is_skipping = true;
            self.text.truncate(self.begins);
            self.unseen = self.begins;
        }
    }

    /// The group; the lines after it begin the next one.
    pub(super) fn take(&mut self) -> Group {
        let text = self.text.split_to(self.begins).freeze();
        self.unseen -= self.begins;
        self.begins = 0;
        let lines = std::mem::take(&mut self.lines);
        Group { text, last: self.ended, lines }
    }
}

impl Group {
    /// Each line with its number, counted from 1 in the whole stream, and without its end; `None` for one that is too long.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, Option<&[u8]>)> {
        let first = self.last + 1 - self.lines.len() as u64;
        let mut begins = 0;
        self.lines.iter().zip(first..).map(move |(line, number)| {
            let text = &self.text[begins..line.end];
            begins = line.end;
            let text = if number == 1 { text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text) } else { text };
            (number, (!line.is_too_long).then(|| text.trim_ascii()))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE_BYTES_MAX: usize = 8;

    /// The lines of a text that comes in these pieces.
    fn cut<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut splitter = Splitter::new(LINE_BYTES_MAX);
        let mut lines = Vec::new();
        let mut take = |splitter: &mut Splitter| {
            let group = splitter.take();
            assert!(group.lines.len() <= GROUP_LINES_MAX);
            lines.extend(group.lines().map(|(number, line)| (number, line.map(<[u8]>::to_vec))));
        };
        for piece in pieces {
            splitter.text().extend_from_slice(piece);
            splitter.split();
            while splitter.is_full() {
                take(&mut splitter);
                splitter.split();
            }
        }
        splitter.finish();
        take(&mut splitter);
        lines
    }

    fn plain(text: &[u8]) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        lines.pop_if(|last| last.is_empty());
        let fits = |line: &[u8]| (line.len() <= LINE_BYTES_MAX).then(|| line.trim_ascii().to_vec());
        lines.into_iter().zip(1..).map(|(line, number)| (number, fits(line))).collect()
    }

    proptest! {
        #[test]
        fn any_cut_into_pieces_gives_the_same_lines(
            text in prop::collection::vec(prop::sample::select(b"ab \r\n".to_vec()), 0..400),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            at.extend([0, text.len()]);
            at.sort_unstable();
            prop_assert_eq!(cut(at.windows(2).map(|ends| &text[ends[0]..ends[1]])), plain(&text));
        }
    }

    #[test]
    fn a_long_text_comes_in_groups_whose_lines_go_on_counting() {
        let text = b"{}\n".repeat(2 * GROUP_LINES_MAX + 3);
        let lines = cut([&text[..]]);
        assert_eq!(lines.len(), 2 * GROUP_LINES_MAX + 3);
        assert!(
            lines.iter().zip(1..).all(|((number, line), n)| *number == n && line.as_deref() == Some(b"{}"))
        );
    }

    #[test]
    fn a_line_without_an_end_is_never_held() {
        let mut splitter = Splitter::new(LINE_BYTES_MAX);
        for _ in 0..1_000 {
            splitter.text().extend_from_slice(&[b'x'; 1_000]);
            splitter.split();
            assert!(splitter.text.len() <= LINE_BYTES_MAX);
        }
        splitter.text().extend_from_slice(b"\nabc\n");
        splitter.split();
        let group = splitter.take();
        assert_eq!(group.lines().collect::<Vec<_>>(), [(1, None), (2, Some(&b"abc"[..]))]);
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_at_the_beginning_alone() {
        let lines = cut(["\u{feff}a\n\u{feff}b".as_bytes()]);
        assert_eq!(lines, [(1, Some(b"a".to_vec())), (2, Some("\u{feff}b".as_bytes().to_vec()))]);
    }
}
