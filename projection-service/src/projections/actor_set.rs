use std::collections::BTreeMap;

use roaring::RoaringBitmap;

/// The actors of one quarter of an hour, each with the number of its activities, so that taking out its last activity
/// takes out the actor. Most actors of a quarter are told by a bit; only the counts from 2 are written out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ActorSet {
    present: RoaringBitmap,
    /// Counts of 2 and more.
    repeats: BTreeMap<u32, u64>,
}

/// A stored set that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a stored set of actors cannot be read")]
pub(crate) struct Unreadable;

/// An actor is to be taken out more often than it is in.
#[derive(Debug, thiserror::Error)]
#[error("an activity is to be taken out of a set that does not hold its actor")]
pub(crate) struct BelowZero;

impl ActorSet {
    /// Reads the two columns.
    pub(crate) fn read(actors: &[u8], repeats: &[u8]) -> Result<Self, Unreadable> {
        let present = read_bitmap(actors)?;
        let mut counts = BTreeMap::new();
        let mut rest = repeats;
        let mut ordinal = 0u64;
        while !rest.is_empty() {
            ordinal += read_number(&mut rest)?;
            let count = read_number(&mut rest)?;
            counts.insert(u32::try_from(ordinal).map_err(|_| Unreadable)?, count);
        }
        Ok(Self { present, repeats: counts })
    }

    /// Writes the two columns. The same set gives the same bytes, however it came about.
    pub(crate) fn write(&self) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
        let mut actors = Vec::with_capacity(self.present.serialized_size());
        self.present.serialize_into(&mut actors)?;
        let mut repeats = Vec::with_capacity(self.repeats.len() * 3);
        let mut last = 0;
        for (&ordinal, &count) in &self.repeats {
            write_number(&mut repeats, u64::from(ordinal - last));
            write_number(&mut repeats, count);
            last = ordinal;
        }
        Ok((actors, repeats))
    }

    /// Changes the number of an actor's activities.
    pub(crate) fn add(&mut self, ordinal: u32, delta: i64) -> Result<(), BelowZero> {
        let count = match self.repeats.get(&ordinal) {
            Some(&count) => count,
            None => u64::from(self.present.contains(ordinal)),
        };
        match count.checked_add_signed(delta).ok_or(BelowZero)? {
            0 => {
                self.present.remove(ordinal);
                self.repeats.remove(&ordinal);
            }
            1 => {
                self.present.insert(ordinal);
                self.repeats.remove(&ordinal);
            }
            more => {
                self.present.insert(ordinal);
                self.repeats.insert(ordinal, more);
            }
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.present.is_empty()
    }
}

/// Reads a bitmap in roaring's portable format.
pub(crate) fn read_bitmap(bytes: &[u8]) -> Result<RoaringBitmap, Unreadable> {
    RoaringBitmap::deserialize_from(bytes).map_err(|_| Unreadable)
}

/// A number as LEB128: seven bits a byte, the lowest first.
fn write_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn read_number(from: &mut &[u8]) -> Result<u64, Unreadable> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = from.split_first().ok_or(Unreadable)?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Unreadable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_actor_goes_with_its_last_activity() {
        let mut set = ActorSet::default();
        set.add(7, 1).unwrap();
        set.add(7, 2).unwrap();
        set.add(7, -2).unwrap();
        assert!(!set.is_empty());
        set.add(7, -1).unwrap();
        assert!(set.is_empty());
        assert!(set.add(7, -1).is_err());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(ActorSet::read(b"nonsense", b"").is_err());
        let (actors, _) = ActorSet::default().write().unwrap();
        assert!(ActorSet::read(&actors, &[0x80]).is_err());
        assert!(ActorSet::read(&actors, &[0xff; 11]).is_err());
    }

    proptest! {
        #[test]
        fn the_bytes_depend_on_the_counts_only(counts in prop::collection::btree_map(0u32..200_000, 1u64..300, 0..200)) {
            let mut at_once = ActorSet::default();
            let mut by_detours = ActorSet::default();
            for (&ordinal, &count) in &counts {
                at_once.add(ordinal, count as i64).unwrap();
            }
            for (&ordinal, &count) in counts.iter().rev() {
                by_detours.add(ordinal ^ 1, 3).unwrap();
                by_detours.add(ordinal, 1).unwrap();
                by_detours.add(ordinal, count as i64).unwrap();
                by_detours.add(ordinal, -1).unwrap();
                by_detours.add(ordinal ^ 1, -3).unwrap();
            }
            let (actors, repeats) = at_once.write().unwrap();
            prop_assert_eq!(&by_detours.write().unwrap(), &(actors.clone(), repeats.clone()));
            prop_assert_eq!(ActorSet::read(&actors, &repeats).unwrap(), at_once);
        }
    }
}
