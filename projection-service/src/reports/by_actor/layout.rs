use std::fmt::Debug;
use std::ops::Range;

use super::{BUCKET_BITS, BUCKETS};

/// A row as one number; see [`super`].
pub(crate) trait Entry: Copy + Ord + Send + Sync + Debug + 'static {
    /// Bits for actor and time.
    const KEY_BITS: u32;
    /// Tags are below, or are not kept.
    const TAG_END: u32;
    /// Whether rows that happened at the same time are in the order of their positions.
    const HAS_POSITION: bool;

    /// Of an actor and a time, the position that first recorded the row, and a tag.
    fn new(key: u64, first_position: i64, tag: u32) -> Self;

    /// Actor and time.
    fn key(self) -> u64;

    /// The position that first recorded the row, if it is kept.
    fn first_position(self) -> i64;

    /// The tag, if it is kept.
    fn tag(self) -> u32;
}

const TAG_BITS: u32 = 20;
const POSITION_BITS: u32 = 44;
/// Tags are below.
pub(crate) const TAG_END: u32 = 1 << TAG_BITS;
/// The last position that is kept as it is: a partition would reach it after six years of 84,000 events each second.
const POSITION_MAX: i64 = (1 << POSITION_BITS) - 1;

/// A row without its position, half as large as one with it. Rows that happened at the same time are in the order of their
/// tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packed<const TAG_BITS: u32>(u64);

impl<const TAG_BITS: u32> Entry for Packed<TAG_BITS> {
    const KEY_BITS: u32 = u64::BITS - TAG_BITS;
    const TAG_END: u32 = 1 << TAG_BITS;
    const HAS_POSITION: bool = false;

    fn new(key: u64, _: i64, tag: u32) -> Self {
        Self(key << TAG_BITS | u64::from(tag & (Self::TAG_END - 1)))
    }

    fn key(self) -> u64 {
        self.0 >> TAG_BITS
    }

    fn first_position(self) -> i64 {
        0
    }

    fn tag(self) -> u32 {
        self.0 as u32 & (Self::TAG_END - 1)
    }
}

impl Entry for u128 {
    const KEY_BITS: u32 = u64::BITS;
    const TAG_END: u32 = TAG_END;
    const HAS_POSITION: bool = true;

    fn new(key: u64, first_position: i64, tag: u32) -> Self {
        let order = (first_position.clamp(0, POSITION_MAX) as u64) << TAG_BITS | u64::from(tag);
        u128::from(key) << u64::BITS | u128::from(order)
    }

    fn key(self) -> u64 {
        (self >> u64::BITS) as u64
    }

    fn first_position(self) -> i64 {
        (self as u64 >> TAG_BITS) as i64
    }

    fn tag(self) -> u32 {
        self as u32 & (TAG_END - 1)
    }
}

/// How actor and time share the bits of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Microseconds since 1970 from which times are counted.
    base: i64,
    time_bits: u32,
    key_bits: u32,
    /// The ordinal from which actors are counted, a multiple of [`BUCKETS`].
    first_actor: u32,
}

impl Layout {
    /// For rows of an extent of time, in microseconds since 1970, and actors from one ordinal on. None if the times do not fit.
    pub(super) fn new<E: Entry>(extent: &Range<i64>, first_actor: u32) -> Option<Self> {
        let span = if extent.is_empty() { 0 } else { extent.end.abs_diff(extent.start) };
        let time_bits = u64::BITS - span.leading_zeros();
        let layout = Self { base: extent.start, time_bits, key_bits: E::KEY_BITS, first_actor };
        (time_bits <= E::KEY_BITS).then_some(layout)
    }

    pub(super) fn first_actor(self) -> u32 {
        self.first_actor
    }

    /// The end of the ordinals that have a key.
    pub(super) fn actors_end(self) -> u64 {
        let above = self.key_bits - self.time_bits;
        u64::from(self.first_actor) + (1_u64 << (above + BUCKET_BITS).min(u32::BITS))
    }

    /// The bucket and the key of a row.
    pub(super) fn key(self, actor: u32, time: i64) -> (usize, u64) {
        let actor = actor - self.first_actor;
        let above = u64::from(actor >> BUCKET_BITS);
        let time = time.wrapping_sub(self.base) as u64;
        (actor as usize % BUCKETS, above.checked_shl(self.time_bits).unwrap_or(0) | time)
    }

    /// What tells apart the actors of a bucket.
    pub(super) fn above(self, entry: impl Entry) -> u32 {
        entry.key().checked_shr(self.time_bits).unwrap_or(0) as u32
    }

    pub(super) fn actor(self, bucket: usize, entry: impl Entry) -> u32 {
        self.first_actor + (self.above(entry) << BUCKET_BITS) + bucket as u32
    }

    /// How long after the beginning of the extent a row happened, in microseconds.
    pub(super) fn offset(self, entry: impl Entry) -> u64 {
        entry.key() & 1_u64.checked_shl(self.time_bits).map_or(u64::MAX, |end| end - 1)
    }

    /// When a row happened, in microseconds since 1970.
    pub(crate) fn time(self, entry: impl Entry) -> i64 {
        self.base.wrapping_add(self.offset(entry) as i64)
    }
}
