use super::super::actor_set::{ActorSet, BLOCK_WORDS};
use super::{MONTH_DAYS, WEEK_DAYS};

/// Adds, for each day, how many of one block's actors it has, with the 6 days before it and with the 29 before it.
pub(super) fn count(days: &[ActorSet], block: usize, counts: &mut [[u64; 3]]) {
    let mut bits = vec![0; days.len() * BLOCK_WORDS];
    for (day, words) in days.iter().zip(bits.chunks_exact_mut(BLOCK_WORDS)) {
        day.add_block(block, words);
    }
    for (words, count) in bits.chunks_exact(BLOCK_WORDS).zip(counts.iter_mut()) {
        count[0] += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
    }
    let mut groups = vec![0; bits.len()];
    each_window(&bits, &mut groups, WEEK_DAYS, |day, actors| counts[day][1] += actors);
    each_window(&bits, &mut groups, MONTH_DAYS, |day, actors| counts[day][2] += actors);
}

/// Calls `see` with the last day of each window of `length` days and how many bits are set on any day of it.
///
/// Days are put into groups of this length, so that a window is the end of one group and the beginning of the next: two unions
/// that grow from day to day (van Herk 1992; Gil and Werman 1993), whatever the length.
fn each_window(bits: &[u64], ends: &mut [u64], length: usize, mut see: impl FnMut(usize, u64)) {
    ends.copy_from_slice(bits);
    let days = bits.len() / BLOCK_WORDS;
    for day in (0..days.saturating_sub(1)).rev().filter(|day| (day + 1) % length != 0) {
        let (before, after) = ends.split_at_mut((day + 1) * BLOCK_WORDS);
        let words = before[day * BLOCK_WORDS..].iter_mut();
        words.zip(after.iter()).for_each(|(word, next)| *word |= next);
    }
    let mut beginning = vec![0; BLOCK_WORDS];
    for (day, words) in bits.chunks_exact(BLOCK_WORDS).enumerate() {
        if day % length == 0 {
            beginning.fill(0);
        }
        beginning.iter_mut().zip(words).for_each(|(union, word)| *union |= word);
        // A window that would begin before the first day has only those that there are.
        let first = (day + 1).saturating_sub(length);
        let end = &ends[first * BLOCK_WORDS..(first + 1) * BLOCK_WORDS];
        let both =
            beginning.iter().zip(end).map(|(beginning, end)| u64::from((beginning | end).count_ones()));
        see(day, both.sum());
    }
}
