/// A set of actors by their ordinals, or of all others.
#[derive(Clone, Debug)]
pub(crate) struct Ordinals {
    /// A bit for each ordinal up to the greatest of the set.
    words: Vec<u64>,
    is_negated: bool,
}

const WORD: u32 = u64::BITS;

impl Ordinals {
    pub(crate) fn new(ordinals: &[u32], is_negated: bool) -> Self {
        let length = ordinals.iter().max().map_or(0, |greatest| greatest / WORD + 1);
        let mut words = vec![0; length as usize];
        for ordinal in ordinals {
            words[(ordinal / WORD) as usize] |= 1 << (ordinal % WORD);
        }
        Self { words, is_negated }
    }

    pub(crate) fn has(&self, ordinal: u32) -> bool {
        let word = self.words.get((ordinal / WORD) as usize).copied().unwrap_or(0);
        (word >> (ordinal % WORD) & 1 == 1) != self.is_negated
    }
}
