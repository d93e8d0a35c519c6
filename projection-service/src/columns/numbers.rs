use std::ops::Range;

/// A column of whole numbers in memory: times or positions. A number takes four bytes where each block of rows has numbers
/// that lie close together, as almost every chunk's do, and else eight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    Close {
        /// The least number of each block.
        bases: Vec<i64>,
        /// How much greater each row's is.
        offsets: Vec<u32>,
    },
    Far(Vec<i64>),
}

/// So few that a block of times spans less than 71 minutes, which is what 32 bits of microseconds hold, from 1,300 rows a
/// day on.
const BLOCK: usize = 64;

impl Numbers {
    /// A column without rows.
    pub(crate) const EMPTY: &Self = &Self::Far(Vec::new());

    pub(crate) fn of(numbers: Vec<i64>) -> Self {
        let mut bases = Vec::with_capacity(numbers.len().div_ceil(BLOCK));
        let mut offsets = Vec::with_capacity(numbers.len());
        for block in numbers.chunks(BLOCK) {
            let (least, greatest) = block.iter().fold((i64::MAX, i64::MIN), |(least, greatest), number| {
                (least.min(*number), greatest.max(*number))
            });
            if greatest.abs_diff(least) > u64::from(u32::MAX) {
                return Self::Far(numbers);
            }
            bases.push(least);
            offsets.extend(block.iter().map(|number| number.wrapping_sub(least) as u32));
        }
        Self::Close { bases, offsets }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Close { offsets, .. } => offsets.len(),
            Self::Far(numbers) => numbers.len(),
        }
    }

    /// The number of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> i64 {
        match self {
            Self::Close { bases, offsets } => bases[row / BLOCK] + i64::from(offsets[row]),
            Self::Far(numbers) => numbers[row],
        }
    }

    /// The numbers of all rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// The first row of a range whose number is not below `end`; the range's end if there is none. Its numbers never fall.
    pub(crate) fn lower_bound(&self, range: Range<usize>, end: i64) -> usize {
        let Range { start: mut low, end: mut high } = range;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) < end {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Close { bases, offsets } => size_of_val(bases.as_slice()) + size_of_val(offsets.as_slice()),
            Self::Far(numbers) => size_of_val(numbers.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Close to each other, or anywhere.
    fn some() -> impl Strategy<Value = Vec<i64>> {
        let close = (any::<i64>(), prop::collection::vec(0..=i64::from(u32::MAX), 0..300));
        prop_oneof![
            close.prop_map(|(base, offsets)| {
                offsets.into_iter().map(|offset| base.saturating_add(offset)).collect()
            }),
            prop::collection::vec(any::<i64>(), 0..300),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_number_is_kept_and_found(mut numbers in some(), end in any::<i64>()) {
            let column = Numbers::of(numbers.clone());
            prop_assert_eq!(column.iter().collect::<Vec<_>>(), numbers.clone());
            numbers.sort_unstable();
            let sorted = Numbers::of(numbers.clone());
            let ends = numbers.first().into_iter().chain(numbers.last()).chain([&end]);
            for end in ends {
                let wanted = numbers.partition_point(|number| number < end);
                prop_assert_eq!(sorted.lower_bound(0..numbers.len(), *end), wanted);
            }
        }
    }

    #[test]
    fn close_numbers_take_half_the_room() {
        let times = (0..65_536).map(|row| 1_700_000_000_000_000 + row * 60_000_000).collect();
        assert!(Numbers::of(times).bytes() < 65_536 * 5);
    }
}
