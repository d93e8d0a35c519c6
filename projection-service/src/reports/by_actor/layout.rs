use std::fmt::Debug;
use std::ops::Range;

use super::{BUCKET_BITS, BUCKETS};

/// A row as one number; see [`super`].
pub(crate) trait Entry: Copy + Ord + Send + Sync + Debug + 'static {
    /// Whether rows that happened at the same time are in the order of their positions.
    const IS_ORDERED: bool;

    /// Of an actor and a time, the position that first recorded the row, and a tag below [`TAG_END`].
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

/// Of rows that happened at the same time none is before the other, and they have no tag.
impl Entry for u64 {
    const IS_ORDERED: bool = false;

    fn new(key: u64, _: i64, _: u32) -> Self {
        key
    }

    fn key(self) -> u64 {
        self
    }

    fn first_position(self) -> i64 {
        0
    }

    fn tag(self) -> u32 {
        0
    }
}

impl Entry for u128 {
    const IS_ORDERED: bool = true;

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
    /// The ordinal from which actors are counted, a multiple of [`BUCKETS`].
    first_actor: u32,
}

impl Layout {
    /// For rows of an extent of time, in microseconds since 1970, and actors from one ordinal on.
    pub(super) fn new(extent: &Range<i64>, first_actor: u32) -> Self {
        let span = if extent.is_empty() { 0 } else { extent.end.abs_diff(extent.start) };
        Self { base: extent.start, time_bits: u64::BITS - span.leading_zeros(), first_actor }
    }

    pub(super) fn first_actor(self) -> u32 {
        self.first_actor
    }

    /// The end of the ordinals that have a key.
    pub(super) fn actors_end(self) -> u64 {
        let above = u64::BITS - self.time_bits;
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

    /// When a row happened, in microseconds since 1970.
    pub(crate) fn time(self, entry: impl Entry) -> i64 {
        let time = entry.key() & 1_u64.checked_shl(self.time_bits).map_or(u64::MAX, |end| end - 1);
        self.base.wrapping_add(time as i64)
    }
}
