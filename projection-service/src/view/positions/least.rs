use std::collections::BTreeSet;

/// Collects the least positions of a range. They may be added in any order.
#[derive(Debug)]
pub(super) struct Least {
    after: i64,
    to: i64,
    limit: usize,
    found: BTreeSet<i64>,
}

impl Least {
    /// Keeps at most `limit` positions, greater than `after` and not greater than `to`.
    pub(super) fn new(after: i64, to: i64, limit: usize) -> Self {
        Self { after, to, limit: limit.max(1), found: BTreeSet::new() }
    }

    /// The exclusive lower bound.
    pub(super) fn after(&self) -> i64 {
        self.after
    }

    /// The greatest position that could still be kept. When all were added, those kept are complete up to it.
    pub(super) fn last(&self) -> i64 {
        match self.found.last() {
            Some(last) if self.found.len() >= self.limit => *last,
            _ => self.to,
        }
    }

    pub(super) fn see(&mut self, position: i64) {
        if position > self.after && position <= self.last() {
            self.found.insert(position);
            if self.found.len() > self.limit {
                self.found.pop_last();
            }
        }
    }

    /// Lowers the upper bound, because later positions will not be added.
    pub(super) fn end_at(&mut self, to: i64) {
        self.to = self.to.min(to);
        self.found.split_off(&(self.to + 1));
    }

    pub(super) fn into_positions(self) -> Vec<i64> {
        self.found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(limit: usize, seen: &[i64]) -> (i64, Vec<i64>) {
        let mut least = Least::new(10, 100, limit);
        for position in seen {
            least.see(*position);
        }
        (least.last(), least.into_positions())
    }

    #[test]
    fn the_least_ones_are_kept_and_one_knows_up_to_where() {
        assert_eq!(least(3, &[90, 10, 50, 50, 101, 20, 70, 60]), (60, vec![20, 50, 60]));
        assert_eq!(least(3, &[90, 20]), (100, vec![20, 90]));
        assert_eq!(least(3, &[90, 20, 90, 100]), (100, vec![20, 90, 100]));
        let mut cut = Least::new(0, 100, 3);
        (5..8).for_each(|position| cut.see(position));
        cut.end_at(6);
        cut.see(7);
        assert_eq!((cut.last(), cut.into_positions()), (6, vec![5, 6]));
    }
}
