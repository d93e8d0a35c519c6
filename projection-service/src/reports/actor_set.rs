//! Sets of actors, by ordinal.

/// Actors of a block: as many as 16 bits tell apart.
const BLOCK_ACTORS: usize = 1 << 16;
/// Words of a block that has a bit for each of its actors.
pub(crate) const BLOCK_WORDS: usize = BLOCK_ACTORS / u64::BITS as usize;
/// The most entries of a block that is a list; 2 kB, where a block of bits has 8.
const LIST_MAX: usize = 1_024;

/// Actors by their ordinals. Each block is a list while few of its actors are in the set, and else a bit for each, so that
/// few actors among millions take little, and many take an eighth of a byte each.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActorSet {
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
enum Block {
    /// In no order; some may be there more than once.
    List(Vec<u16>),
    Bits(Box<[u64; BLOCK_WORDS]>),
}

impl Default for Block {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl ActorSet {
    #[inline]
    pub(crate) fn insert(&mut self, ordinal: u32) {
        let (block, low) = (ordinal as usize / BLOCK_ACTORS, ordinal as u16);
        if block >= self.blocks.len() {
            self.blocks.resize_with(block + 1, Block::default);
        }
        self.blocks[block].insert(low);
    }

    /// Adds the actors of another set.
    pub(crate) fn merge(&mut self, other: Self) {
        if other.blocks.len() > self.blocks.len() {
            self.blocks.resize_with(other.blocks.len(), Block::default);
        }
        for (block, other) in self.blocks.iter_mut().zip(other.blocks) {
            match (&mut *block, other) {
                (block, Block::List(list)) => list.into_iter().for_each(|low| block.insert(low)),
                (Block::Bits(bits), Block::Bits(other)) => {
                    for (word, other) in bits.iter_mut().zip(other.iter()) {
                        *word |= other;
                    }
                }
                (Block::List(list), Block::Bits(mut bits)) => {
                    for low in list.iter() {
                        set(&mut bits, *low);
                    }
                    *block = Block::Bits(bits);
                }
            }
        }
    }

    /// How many blocks there are up to the greatest ordinal.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Sets the bits of one block's actors in `words`.
    pub(crate) fn add_block(&self, block: usize, words: &mut [u64]) {
        match self.blocks.get(block) {
            None => {}
            Some(Block::List(list)) => {
                for low in list {
                    words[usize::from(low / 64)] |= 1 << (low % 64);
                }
            }
            Some(Block::Bits(bits)) => {
                for (word, bit) in words.iter_mut().zip(bits.iter()) {
                    *word |= bit;
                }
            }
        }
    }

    /// How many actors are in it.
    pub(crate) fn count(&self) -> u64 {
        let mut words = vec![0_u64; BLOCK_WORDS];
        let count = |block| {
            words.fill(0);
            self.add_block(block, &mut words);
            words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>()
        };
        (0..self.blocks()).map(count).sum()
    }

    #[cfg(test)]
    pub(crate) fn contains(&self, ordinal: u32) -> bool {
        let low = ordinal as u16;
        match self.blocks.get(ordinal as usize / BLOCK_ACTORS) {
            None => false,
            Some(Block::List(list)) => list.contains(&low),
            Some(Block::Bits(bits)) => bits[usize::from(low / 64)] >> (low % 64) & 1 == 1,
        }
    }
}

impl Block {
    #[inline]
    fn insert(&mut self, low: u16) {
        match self {
            Self::Bits(bits) => set(bits, low),
            Self::List(_) => self.push(low),
        }
    }

    #[cold]
    fn push(&mut self, low: u16) {
        let Self::List(list) = self else { return };
        list.push(low);
        if list.len() < LIST_MAX {
            return;
        }
        let mut bits = Box::new([0; BLOCK_WORDS]);
        for low in list.iter() {
            set(&mut bits, *low);
        }
        // With half of the room left, the next time that it is full is worth the next look.
        let distinct: u32 = bits.iter().map(|word| word.count_ones()).sum();
        if distinct as usize > LIST_MAX / 2 {
            *self = Self::Bits(bits);
        } else {
            list.clear();
            each_set(&bits, |low| list.push(low));
        }
    }
}

fn set(bits: &mut [u64; BLOCK_WORDS], low: u16) {
    bits[usize::from(low / 64)] |= 1 << (low % 64);
}

/// Calls `see` with each bit that is set.
fn each_set(bits: &[u64; BLOCK_WORDS], mut see: impl FnMut(u16)) {
    for (word, first) in bits.iter().zip((0..=u16::MAX).step_by(64)) {
        let mut word = *word;
        while word != 0 {
            see(first + word.trailing_zeros() as u16);
            word &= word - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ordinals(set: &ActorSet) -> BTreeSet<u32> {
        let mut all = BTreeSet::new();
        for block in 0..set.blocks() {
            let mut words = vec![0; BLOCK_WORDS];
            set.add_block(block, &mut words);
            let bits = (0..BLOCK_ACTORS).filter(|bit| words[bit / 64] >> (bit % 64) & 1 == 1);
            all.extend(bits.map(|bit| (block * BLOCK_ACTORS + bit) as u32));
        }
        all
    }

    /// Few, or so many that a block has bits; in two blocks.
    fn some() -> impl Strategy<Value = Vec<u32>> {
        let ordinal = prop_oneof![4 => 0..3_000_u32, 1 => 65_530..65_560_u32, 1 => Just(5 * 65_536)];
        prop_oneof![
            prop::collection::vec(ordinal.clone(), 0..20),
            prop::collection::vec(ordinal, 3_000..5_000)
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_set_has_what_was_added_and_what_another_one_has(one in some(), other in some()) {
            let set = |ordinals: &[u32]| {
                let mut set = ActorSet::default();
                for ordinal in ordinals {
                    set.insert(*ordinal);
                }
                set
            };
            let mut merged = set(&one);
            merged.merge(set(&other));
            let wanted: BTreeSet<u32> = one.iter().chain(&other).copied().collect();
            for ordinal in [0, 1, 2_999, 65_535, 65_536, 5 * 65_536, 9 * 65_536] {
                prop_assert_eq!(merged.contains(ordinal), wanted.contains(&ordinal));
            }
            prop_assert_eq!(ordinals(&merged), wanted);
        }
    }
}
