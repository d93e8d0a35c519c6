use std::collections::VecDeque;

use chassis::FieldError;

use super::entries::Entry;

/// After every line of a connection.
const UNSENT: u64 = u64::MAX;

/// Records of which it is not known yet what becomes of them, in order.
#[derive(Default)]
pub(super) struct Window {
    held: VecDeque<Held>,
    bytes: usize,
    /// How many of them have been sent on this connection, or cannot be.
    passed: usize,
    /// Lines that were sent on this connection.
    sent: u64,
}

/// A record, and what is known of it.
pub(super) struct Held {
    pub(super) entry: Entry,
    /// The line of the connection that it was sent as; that of the record before it if it is refused here.
    number: u64,
    /// Why it is refused, by whoever refused it.
    pub(super) errors: Option<Vec<FieldError>>,
}

impl Window {
    fn push(&mut self, mut entry: Entry) {
        self.bytes += entry.text.len();
        let errors = entry.fault.take().map(|detail| vec![FieldError { pointer: String::new(), detail }]);
        self.held.push_back(Held { entry, number: UNSENT, errors });
    }

    pub(super) fn extend(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.push(entry);
        }
    }

    /// How much it holds, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether there is something to send.
    pub(super) fn has_unsent(&self) -> bool {
        self.passed < self.held.len()
    }

    /// The next lines to send, up to so many bytes and one line.
    pub(super) fn next_chunk(&mut self, bytes: usize) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(bytes);
        while chunk.len() < bytes
            && let Some(held) = self.held.get_mut(self.passed)
        {
            if held.errors.is_none() {
                chunk.extend_from_slice(held.entry.text.as_bytes());
                chunk.push(b'\n');
                self.sent += 1;
            }
            held.number = self.sent;
            self.passed += 1;
        }
        chunk
    }

    /// An empty line is sent, which keeps the connection open.
    pub(super) fn sent_empty_line(&mut self) {
        self.sent += 1;
    }

    /// Everything that is held is sent again on a new connection.
    pub(super) fn begin_again(&mut self) {
        (self.passed, self.sent) = (0, 0);
        self.held.iter_mut().for_each(|held| held.number = UNSENT);
    }

    /// The record that was sent as this line is refused.
    pub(super) fn reject(&mut self, number: u64, errors: Vec<FieldError>) {
        let at = self.held.partition_point(|held| held.number < number);
        if let Some(held) = self.held.get_mut(at).filter(|held| held.errors.is_none()) {
            held.errors = Some(errors);
        }
    }

    /// Takes out the records up to this line of the connection: all is known of them.
    pub(super) fn settle(&mut self, number: u64) -> Vec<Held> {
        let known = self.held.iter().take(self.passed).take_while(|held| held.number <= number).count();
        self.passed -= known;
        let settled: Vec<Held> = self.held.drain(..known).collect();
        self.bytes -= settled.iter().map(|held| held.entry.text.len()).sum::<usize>();
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: u64, fault: Option<&str>) -> Entry {
        Entry { line, text: format!("t{line}"), fault: fault.map(str::to_owned) }
    }

    fn lines(settled: &[Held]) -> Vec<(u64, bool)> {
        settled.iter().map(|held| (held.entry.line, held.errors.is_some())).collect()
    }

    #[test]
    fn what_is_refused_here_or_there_keeps_its_place() {
        let mut window = Window::default();
        for (line, fault) in
            [(0, Some("bad")), (1, None), (2, Some("bad")), (4, None), (5, None), (6, Some("bad"))]
        {
            window.push(entry(line, fault));
        }
        assert_eq!(window.next_chunk(1_000), b"t1\nt4\nt5\n");
        window.sent_empty_line();
        window.push(entry(7, None));
        assert_eq!(window.next_chunk(1_000), b"t7\n");
        window.reject(2, Vec::new());
        window.reject(5, Vec::new());
        assert_eq!(lines(&window.settle(2)), [(0, true), (1, false), (2, true), (4, true)]);
        assert_eq!(lines(&window.settle(4)), [(5, false), (6, true)]);
        assert_eq!(lines(&window.settle(5)), [(7, true)]);
        assert!(window.is_empty() && window.bytes() == 0);
    }

    #[test]
    fn a_new_connection_gets_all_that_is_not_known_with_numbers_of_its_own() {
        let mut window = Window::default();
        for line in 1..=4 {
            window.push(entry(line, None));
        }
        assert_eq!(window.next_chunk(5), b"t1\nt2\n");
        assert_eq!(lines(&window.settle(1)), [(1, false)]);
        window.begin_again();
        assert_eq!(window.next_chunk(1_000), b"t2\nt3\nt4\n");
        window.reject(1, Vec::new());
        assert_eq!(lines(&window.settle(2)), [(2, true), (3, false)]);
        assert!(!window.has_unsent() && !window.is_empty());
    }
}
