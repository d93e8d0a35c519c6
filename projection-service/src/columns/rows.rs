use std::ops::Range;
use std::sync::Arc;

use super::{Dictionary, Field, Numbers, Values};

/// The columns that a report reads, besides the time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// [`Rows::actors`].
    pub(crate) actors: bool,
    /// [`Rows::values`].
    pub(crate) values: bool,
    /// [`Rows::first_position`].
    pub(crate) order: bool,
    /// [`Rows::fields`], in this order; neither [`Field::Actor`] nor [`Field::Value`].
    pub(crate) fields: Vec<Field>,
}

impl Needs {
    /// Whether a field is a trait of the actor.
    pub(crate) fn has_traits(&self) -> bool {
        self.fields.iter().any(|field| matches!(field, Field::Trait(_)))
    }
}

/// One chunk as a report reads it. Rows of `range` whose bit in `mask` is set happened in the requested time, are current at the
/// moment of the view, and pass the filters. The columns have every row of the chunk.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a> {
    /// Rows in the time asked for; without a mask, all of them count.
    pub(crate) range: Range<usize>,
    pub(crate) mask: Option<&'a Mask>,
    /// Microseconds since 1970 at which each row happened, never falling.
    pub(crate) times: &'a Numbers,
    /// The ordinal of each row's actor, the same in every chunk of a customer; empty unless it was asked for.
    pub(crate) actors: &'a [u32],
    /// None unless it was asked for.
    pub(crate) values: Option<&'a Values>,
    /// The position of the event that made each row's state.
    pub(crate) positions: &'a Numbers,
    /// The position of the event that first recorded each row's activity; empty unless it was asked for.
    pub(crate) first_positions: &'a Numbers,
    pub(crate) fields: &'a [Arc<Dictionary>],
}

impl Rows<'_> {
    /// Calls `see` for every row that counts, in order of time.
    #[inline]
    pub(crate) fn each(&self, see: impl FnMut(usize)) {
        self.each_of(self.range.clone(), see);
    }

    /// [`Self::each`] for a part of the range.
    #[inline]
    pub(crate) fn each_of(&self, part: Range<usize>, mut see: impl FnMut(usize)) {
        let mut start = part.start;
        while start < part.end {
            // With one call of `see` for rows with and without a mask, it becomes a part of this loop, which is then twice as
            // fast.
            let run = self.mask.map_or(start..part.end, |mask| mask.next_run(start..part.end));
            start = run.end;
            run.for_each(&mut see);
        }
    }

    /// The number of rows of a part of the range that count.
    pub(crate) fn count_of(&self, part: Range<usize>) -> usize {
        self.mask.map_or(part.len(), |mask| mask.count(part))
    }

    /// The part of the range that happened in `[from, to)`, in microseconds since 1970.
    pub(crate) fn between(&self, from: i64, to: i64) -> Range<usize> {
        let start = self.times.lower_bound(self.range.clone(), from);
        start..self.times.lower_bound(start..self.range.end, to)
    }
}

/// A bit for each row of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    words: Vec<u64>,
    rows: usize,
}

const WORD: usize = 64;

impl Mask {
    /// Every bit set.
    pub(crate) fn full(rows: usize) -> Self {
        let mut words = vec![u64::MAX; rows.div_ceil(WORD)];
        if let (Some(last), rest @ 1..) = (words.last_mut(), rows % WORD) {
            *last = (1 << rest) - 1;
        }
        Self { words, rows }
    }

    /// The bits for which `test` holds.
    pub(crate) fn of(rows: usize, test: impl Fn(usize) -> bool) -> Self {
        let word = |start: usize| {
            (start..rows.min(start + WORD)).fold(0, |word, row| word | u64::from(test(row)) << (row - start))
        };
        Self { words: (0..rows).step_by(WORD).map(word).collect(), rows }
    }

    /// Clears the bits that are not set in the other one too.
    pub(crate) fn and(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Sets the bits that are set in the other one.
    pub(crate) fn or(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Clears one bit.
    pub(crate) fn clear(&mut self, row: usize) {
        self.words[row / WORD] &= !(1 << (row % WORD));
    }

    pub(crate) fn is_set(&self, row: usize) -> bool {
        self.words[row / WORD] >> (row % WORD) & 1 == 1
    }

    /// Whether every bit is set.
    pub(crate) fn is_full(&self) -> bool {
        self.count(0..self.rows) == self.rows
    }

    /// The number of bits that are set in a range of rows.
    pub(crate) fn count(&self, range: Range<usize>) -> usize {
        let mut count = 0;
        self.each_word(range, |_, word| count += word.count_ones() as usize);
        count
    }

    /// The first bits of a range that are set and follow each other; an empty range at its end if there are none.
    #[inline]
    fn next_run(&self, range: Range<usize>) -> Range<usize> {
        let mut start = range.start;
        while start < range.end {
            let word = self.words[start / WORD] >> (start % WORD);
            if word != 0 {
                start += word.trailing_zeros() as usize;
                let ones = (self.words[start / WORD] >> (start % WORD)).trailing_ones() as usize;
                return start.min(range.end)..(start + ones).min(range.end);
            }
            start += WORD - start % WORD;
        }
        range.end..range.end
    }

    /// The words that have a bit of the range, without the bits outside of it.
    fn each_word(&self, range: Range<usize>, mut see: impl FnMut(usize, u64)) {
        if range.is_empty() {
            return;
        }
        let (first, last) = (range.start / WORD, (range.end - 1) / WORD);
        for index in first..=last {
            let mut word = self.words[index];
            if index == first {
                word &= u64::MAX << (range.start % WORD);
            }
            if index == last {
                word &= u64::MAX >> (WORD - 1 - (range.end - 1) % WORD);
            }
            see(index * WORD, word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_knows_its_bits_in_any_range() {
        let mask = Mask::of(200, |row| row % 3 == 0);
        for range in [0..200, 0..0, 5..5, 3..4, 63..65, 64..128, 1..199, 190..200] {
            let mut seen = Vec::new();
            let mut start = range.start;
            while start < range.end {
                let run = mask.next_run(start..range.end);
                start = run.end;
                seen.extend(run);
            }
            let wanted: Vec<usize> = range.clone().filter(|row| row % 3 == 0).collect();
            assert_eq!(seen, wanted, "{range:?}");
            assert_eq!(mask.count(range), wanted.len());
        }
        assert!(Mask::full(130).is_full() && !mask.is_full());
    }

    #[test]
    fn rows_are_found_by_their_time() {
        let times = Numbers::of(vec![10, 20, 20, 30]);
        let rows = Rows {
            range: 1..4,
            mask: None,
            times: &times,
            actors: &[],
            values: None,
            positions: Numbers::EMPTY,
            first_positions: Numbers::EMPTY,
            fields: &[],
        };
        assert_eq!(rows.between(0, 20), 1..1);
        assert_eq!(rows.between(20, 30), 1..3);
        assert_eq!(rows.between(0, 100), 1..4);
    }
}
