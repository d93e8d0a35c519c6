use super::super::durations::Durations;
use super::attempts::{Attempt, Tally};
use super::{Body, StepNumbers};

/// The numbers of the report, gathered from attempts.
#[derive(Debug)]
pub(super) struct Results {
    steps: Vec<StepResults>,
}

#[derive(Debug, Default)]
struct StepResults {
    actors: u64,
    /// The times from the step before, in microseconds.
    durations: Durations,
}

impl Results {
    pub(super) fn new(steps: usize) -> Self {
        Self { steps: (0..steps).map(|_| StepResults::default()).collect() }
    }

    pub(super) fn body(self, types: Vec<Option<String>>) -> Body {
        let part = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let first = self.steps[0].actors;
        let mut before = first;
        let step = |(activity_type, mut step): (_, StepResults)| {
            let previous = std::mem::replace(&mut before, step.actors);
            StepNumbers {
                activity_type,
                actors: step.actors,
                conversion: part(step.actors, first),
                conversion_from_previous: part(step.actors, previous),
                median_s: step.durations.percentile(50),
                p90_s: step.durations.percentile(90),
            }
        };
        Body { steps: types.into_iter().zip(self.steps).map(step).collect() }
    }
}

impl Tally for Results {
    const NEEDS_POSITIONS: bool = false;

    fn empty(&self) -> Self {
        Self::new(self.steps.len())
    }

    fn add(&mut self, attempt: &Attempt) {
        let mut before: Option<i64> = None;
        for (step, taken) in self.steps.iter_mut().zip(attempt.steps()) {
            let Some(taken) = taken else { continue };
            step.actors += 1;
            if let Some(before) = before {
                step.durations.push(taken.time.abs_diff(before));
            }
            before = Some(taken.time);
        }
    }

    fn merge(&mut self, other: Self) {
        for (step, other) in self.steps.iter_mut().zip(other.steps) {
            step.actors += other.actors;
            step.durations.merge(other.durations);
        }
    }
}

/// The activities with which actors took one step.
#[derive(Debug)]
pub(super) struct FirstPositionsAt {
    step: usize,
    pub(super) positions: Vec<i64>,
}

impl FirstPositionsAt {
    pub(super) fn new(step: usize) -> Self {
        Self { step, positions: Vec::new() }
    }
}

impl Tally for FirstPositionsAt {
    const NEEDS_POSITIONS: bool = true;

    fn empty(&self) -> Self {
        Self::new(self.step)
    }

    fn add(&mut self, attempt: &Attempt) {
        self.positions.extend(attempt.steps()[self.step].map(|taken| taken.first_position));
    }

    fn merge(&mut self, other: Self) {
        self.positions.extend(other.positions);
    }
}
