/// Looks for the first number of a range for which something is true, if from that number on it is true for all.
#[derive(Debug)]
pub(super) struct Bisect {
    low: i64,
    high: i64,
}

impl Bisect {
    /// In 1 to `last`.
    pub(super) fn up_to(last: i64) -> Self {
        Self { low: 1, high: last + 1 }
    }

    /// The number to be asked about; none when the first one is known.
    pub(super) fn middle(&self) -> Option<i64> {
        (self.low < self.high).then(|| self.low + (self.high - self.low) / 2)
    }

    /// Whether it is true for the number in the middle.
    pub(super) fn narrow(&mut self, is_true: bool) {
        let Some(middle) = self.middle() else { return };
        if is_true {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
    }

    /// The first number for which it is true, once there is nothing more to ask; one more than the last if there is none.
    pub(super) fn first(&self) -> i64 {
        self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_found_wherever_it_lies_in_few_steps() {
        for last in 0..40 {
            for first in 1..=last + 1 {
                let mut bisect = Bisect::up_to(last);
                let mut steps = 0;
                while let Some(middle) = bisect.middle() {
                    assert!((1..=last).contains(&middle));
                    bisect.narrow(middle >= first);
                    steps += 1;
                }
                assert_eq!(bisect.first(), first);
                assert!(steps <= 6, "{steps} steps for {last}");
            }
        }
    }
}
