use std::hash::BuildHasher;

use hashbrown::HashTable;

/// Texts that occur often, each kept once and known by a number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    all: String,
    /// Where each text ends in `all`.
    ends: Vec<u32>,
    /// The numbers, by the hash of their text; made when it is first needed.
    known: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number.
    pub(crate) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.all[start..self.ends[number] as usize]
    }

    /// The number of a text, if it is known.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        if self.known.is_empty() {
            return (0..self.ends.len() as u32).find(|number| self.get(*number) == text);
        }
        self.known.find(self.hasher.hash_one(text), |number| self.get(*number) == text).copied()
    }

    /// The number of a text, a new one if it is not known.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if self.known.len() != self.ends.len() {
            self.learn();
        }
        let hash = self.hasher.hash_one(text);
        if let Some(number) = self.known.find(hash, |number| self.get(*number) == text) {
            return *number;
        }
        let number = self.push(text);
        let Self { all, ends, known, hasher } = self;
        known.insert_unique(hash, number, |number| hasher.hash_one(slice(all, ends, *number)));
        number
    }

    /// Adds a text that is not known yet, as it is read back.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        self.all.push_str(text);
        self.ends.push(self.all.len() as u32);
        (self.ends.len() - 1) as u32
    }

    fn learn(&mut self) {
        let Self { all, ends, known, hasher } = self;
        known.clear();
        for number in 0..ends.len() as u32 {
            let hash = hasher.hash_one(slice(all, ends, number));
            known.insert_unique(hash, number, |number| hasher.hash_one(slice(all, ends, *number)));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len() as u32).map(|number| self.get(number))
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.all.len() + self.ends.len() * size_of::<u32>() * 3
    }
}

fn slice<'a>(all: &'a str, ends: &[u32], number: u32) -> &'a str {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] as usize };
    &all[start..ends[number] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number() {
        let mut texts = Texts::default();
        let numbers: Vec<u32> = ["a", "", "bc", "a", "", "d"].map(|text| texts.number(text)).to_vec();
        assert_eq!(numbers, [0, 1, 2, 0, 1, 3]);
        let mut read = Texts::default();
        texts.iter().for_each(|text| {
            read.push(text);
        });
        assert_eq!(read.find("bc"), Some(2));
        assert_eq!((read.number("d"), read.number("e"), read.find("x")), (3, 4, None));
    }
}
