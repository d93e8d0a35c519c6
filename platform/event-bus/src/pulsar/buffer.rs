use std::collections::VecDeque;

use bytes::Bytes;
use pulsar::proto::MessageIdData;

/// Positions that share a mark.
const MARK_POSITIONS: i64 = 256;
const MARKS_MAX: usize = 4_096;
/// What a message takes besides its bytes.
const OVERHEAD_BYTES: usize = 64;

/// What one partition of a topic has delivered and no consumer has fetched: a bounded part of it, in order. What did not fit is
/// in the log.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    messages: VecDeque<(i64, Bytes)>,
    bytes: usize,
    bytes_max: usize,
    /// The highest position that was delivered.
    last: i64,
    /// Ids by which positions can be acknowledged; one for some hundred positions.
    marks: VecDeque<(i64, MessageIdData)>,
}

/// What a buffer has after a position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// These, the first of them right after the position.
    Messages(Vec<Bytes>),
    /// Nothing before this position.
    HoleUpTo(i64),
    /// No message after the position.
    Nothing,
}

impl Buffer {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, ..Self::default() }
    }

    /// Takes a message in. `carried` is none for one that has only a position. Returns whether it is new.
    pub(crate) fn receive(&mut self, position: i64, carried: Option<Bytes>, id: MessageIdData) -> bool {
        self.mark(position, id);
        if position <= self.last {
            return false;
        }
        self.last = position;
        if let Some(message) = carried {
            let bytes = message.len() + OVERHEAD_BYTES;
            if self.bytes + bytes <= self.bytes_max {
                self.bytes += bytes;
                self.messages.push_back((position, message));
            } else {
                metrics::counter!("daybook_bus_overflow_total").increment(1);
            }
        }
        true
    }

    fn mark(&mut self, position: i64, id: MessageIdData) {
        match self.marks.back_mut() {
            Some((marked, _)) if position < *marked => {}
            Some((marked, last)) if *marked / MARK_POSITIONS == position / MARK_POSITIONS => {
                (*marked, *last) = (position, id);
            }
            _ => {
                if self.marks.len() >= MARKS_MAX {
                    self.marks.pop_front();
                }
                self.marks.push_back((position, id));
            }
        }
    }

    /// A new consumer's ids have nothing to do with the old ones': the topic may be another one.
    pub(crate) fn forget_marks(&mut self) {
        self.marks.clear();
    }

    /// Throws away what waits: it is not in the log.
    pub(crate) fn discard(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }

    /// The id that acknowledges as much as possible up to a position.
    pub(crate) fn acknowledge(&mut self, position: i64) -> Option<MessageIdData> {
        let mut found = None;
        while self.marks.front().is_some_and(|(marked, _)| *marked <= position) {
            found = self.marks.pop_front();
        }
        found.map(|(_, id)| id)
    }

    /// What follows a position, at most `max`. The caller has done with everything up to it.
    pub(crate) fn after(&mut self, position: i64, max: usize) -> Run {
        while self.messages.front().is_some_and(|(first, _)| *first <= position) {
            if let Some((_, message)) = self.messages.pop_front() {
                self.bytes -= message.len() + OVERHEAD_BYTES;
            }
        }
        match self.messages.front() {
            None => Run::Nothing,
            Some((first, _)) if *first > position + 1 => Run::HoleUpTo(*first),
            Some(_) => {
                let following = self.messages.iter().zip(position + 1..);
                let run = following.take_while(|((at, _), expected)| at == expected).take(max);
                Run::Messages(run.map(|((_, message), _)| message.clone()).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(entry_id: u64) -> MessageIdData {
        MessageIdData { entry_id, ..MessageIdData::default() }
    }

    fn filled(positions: impl IntoIterator<Item = i64>, bytes_max: usize) -> Buffer {
        let mut buffer = Buffer::new(bytes_max);
        for position in positions {
            buffer.receive(position, Some(Bytes::from(vec![position as u8; 36])), id(position as u64));
        }
        buffer
    }

    fn firsts(run: Run) -> Vec<u8> {
        let Run::Messages(messages) = run else { panic!("{run:?}") };
        messages.iter().map(|message| message[0]).collect()
    }

    #[test]
    fn what_was_seen_is_dropped() {
        let mut buffer = filled([1, 2, 2, 1, 3], 10_000);
        assert_eq!(firsts(buffer.after(0, 10)), [1, 2, 3]);
        assert_eq!(firsts(buffer.after(0, 2)), [1, 2]);
    }

    #[test]
    fn a_hole_ends_a_run_and_is_told() {
        let mut buffer = filled([1, 2, 5, 6], 10_000);
        assert_eq!(firsts(buffer.after(0, 10)), [1, 2]);
        assert_eq!(buffer.after(2, 10), Run::HoleUpTo(5));
        assert_eq!(firsts(buffer.after(4, 10)), [5, 6]);
        assert_eq!(buffer.after(6, 10), Run::Nothing);
    }

    #[test]
    fn memory_is_bounded_and_what_did_not_fit_is_a_hole() {
        let mut buffer = filled(1..=200, 1_000);
        assert!(buffer.bytes <= 1_000 && buffer.messages.len() == 10);
        assert_eq!(firsts(buffer.after(0, 100)).len(), 10);
        assert_eq!(buffer.after(10, 100), Run::Nothing);
        assert!(buffer.receive(201, Some(Bytes::from_static(b"x")), id(201)));
        assert_eq!(buffer.after(10, 100), Run::HoleUpTo(201));
    }

    #[test]
    fn an_acknowledgement_never_goes_beyond_its_position() {
        let mut buffer = filled(1..=1_000, 0);
        assert_eq!(buffer.acknowledge(10), None);
        assert_eq!(buffer.acknowledge(600), Some(id(511)));
        assert_eq!(buffer.acknowledge(1_000), Some(id(1_000)));
        assert_eq!(buffer.acknowledge(1_000), None);
    }
}
