use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::CustomerId;

/// The unit of order, of work and of growth: an index from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many partitions a log has; fixed when the log is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitions(NonZeroU16);

impl Partitions {
    /// One partition, as the log of `customers` has.
    pub const ONE: Self = Self(NonZeroU16::MIN);
    /// The most partitions a log may have.
    pub const MAX: u16 = 1024;

    /// `count` partitions, 1 to [`Self::MAX`].
    #[must_use]
    pub fn new(count: u16) -> Option<Self> {
        NonZeroU16::new(count).filter(|count| count.get() <= Self::MAX).map(Self)
    }

    /// The number of partitions.
    #[must_use]
    pub fn count(self) -> u16 {
        self.0.get()
    }

    /// All partitions, in order.
    pub fn all(self) -> impl DoubleEndedIterator<Item = Partition> + Clone {
        (0..self.0.get()).map(Partition)
    }

    /// The partition in which all of a customer's history lies: the first 8 bytes (big endian) of the SHA-256 of the
    /// hyphenated lower-case id, modulo the number of partitions. Any language can compute it.
    #[must_use]
    pub fn of(self, customer: CustomerId) -> Partition {
        let digest = Sha256::digest(customer.to_string().as_bytes());
        let mut first = [0u8; 8];
        first.copy_from_slice(&digest[..8]);
        Partition((u64::from_be_bytes(first) % u64::from(self.0.get())) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_keeps_its_partition_for_ever() {
        let customer: CustomerId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let partitions = Partitions::new(16).unwrap();
        // Computed once with: printf %s ID | sha256sum | cut -c16 (the last hex digit of the first 8 bytes).
        assert_eq!(partitions.of(customer), Partition(0xa));
        assert_eq!(Partitions::ONE.of(customer), Partition(0));
    }

    #[test]
    fn customers_spread_over_all_partitions() {
        let partitions = Partitions::new(16).unwrap();
        let mut counts = [0u32; 16];
        for n in 0..16_000u128 {
            counts[usize::from(partitions.of(CustomerId(uuid::Uuid::from_u128(n))).0)] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}
