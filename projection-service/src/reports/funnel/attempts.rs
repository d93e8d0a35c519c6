use std::ops::Range;

use super::super::by_actor::{Actor, Entry, Fold, Packed, Select, by_actor};
use super::super::matching::Matching;
use super::super::source::Source;
use super::{FunnelQuestion, STEPS_MAX};
use crate::columns::{Mask, Needs, Rows};
use crate::error::ReportsError;

/// The tag of a row has a bit for each step that it matches, and this one if it is excluded.
const EXCLUDED: usize = STEPS_MAX;
const TAG_BITS: u32 = STEPS_MAX as u32 + 1;

/// The rules of an attempt.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    /// When an attempt may begin, in microseconds since 1970.
    range: Range<i64>,
    /// How long it may go on, in microseconds.
    within: i64,
    /// For each step.
    is_optional: Vec<bool>,
}

impl Steps {
    pub(super) fn new(range: Range<i64>, within: i64, is_optional: Vec<bool>) -> Self {
        Self { range, within, is_optional }
    }

    /// The time in which the activities of attempts lie.
    pub(super) fn window(&self) -> Range<i64> {
        self.range.start..self.range.end.saturating_add(self.within)
    }
}

/// The attempt of an actor that reached furthest.
pub(super) struct Attempt {
    taken: [Option<Taken>; STEPS_MAX],
    /// The last step that was taken.
    reached: usize,
}

/// A step that was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// When it was taken, in microseconds since 1970.
    pub(super) time: i64,
    /// The position that first recorded it, if it is needed.
    pub(super) first_position: i64,
}

impl Attempt {
    pub(super) fn steps(&self) -> &[Option<Taken>; STEPS_MAX] {
        &self.taken
    }
}

/// Gathers one attempt of each actor that began one.
pub(super) trait Tally: Send + Sync + 'static {
    /// Whether the positions of the activities are needed.
    const NEEDS_POSITIONS: bool;

    /// For the attempts of one thread.
    fn empty(&self) -> Self;

    fn add(&mut self, attempt: &Attempt);

    fn merge(&mut self, other: Self);
}

/// Passes the best attempt of each actor to `tally`.
pub(super) async fn results<T: Tally>(
    source: &impl Source,
    mut question: FunnelQuestion,
    mut tally: T,
) -> Result<T, ReportsError> {
    let mut needs = Needs { actors: true, ..Needs::default() };
    let matching = question.matching.iter_mut().chain(&mut question.exclude);
    matching.for_each(|matching| matching.add_needs(&mut needs));
    let window = question.steps.window();
    let select = SomeStep { matching: question.matching, exclude: question.exclude };
    let follow = Follow { empty: tally.empty(), steps: question.steps };
    let (_, threads) = by_actor(source, window, &needs, select, follow).await?;
    for (found, _) in threads {
        tally.merge(found);
    }
    Ok(tally)
}

/// Finds the attempt of each actor.
struct Follow<T> {
    empty: T,
    steps: Steps,
}

impl<T: Tally> Fold for Follow<T> {
    type Accumulator = (T, Next);
    type Packed = Packed<TAG_BITS>;
    const NEEDS_POSITIONS: bool = T::NEEDS_POSITIONS;

    fn begin(&self) -> Self::Accumulator {
        (self.empty.empty(), Next::default())
    }

    fn actor<E: Entry>(&self, (tally, next): &mut Self::Accumulator, actor: &Actor<'_, E>) {
        if let Some(attempt) = self.steps.best(actor, next) {
            tally.add(&attempt);
        }
    }
}

impl Steps {
    /// The attempt of an actor that reaches furthest; of equals the earliest.
    fn best<E: Entry>(&self, actor: &Actor<'_, E>, next: &mut Next) -> Option<Attempt> {
        let begins =
            |row: &usize| actor.entries[*row].tag() & 1 == 1 && self.range.contains(&actor.time(*row));
        let mut beginnings = (0..actor.entries.len()).filter(begins).peekable();
        let first = *beginnings.peek()?;
        next.look(&actor.entries[first..], self.is_optional.len());
        let mut best: Option<Attempt> = None;
        for begin in beginnings {
            let attempt = self.attempt(actor, first, begin, next);
            if best.as_ref().is_none_or(|best| attempt.reached > best.reached) {
                best = Some(attempt);
            }
            if best.as_ref().is_some_and(|best| best.reached + 1 == self.is_optional.len()) {
                break;
            }
        }
        best
    }

    /// The attempt that begins at a row. `next` knows the rows from `first` on.
    fn attempt<E: Entry>(&self, actor: &Actor<'_, E>, first: usize, begin: usize, next: &Next) -> Attempt {
        let take = |row: usize| {
            Some(Taken { time: actor.time(row), first_position: actor.entries[row].first_position() })
        };
        let end = actor.time(begin).saturating_add(self.within);
        let mut attempt = Attempt { taken: [None; STEPS_MAX], reached: 0 };
        attempt.taken[0] = take(begin);
        let mut at = begin;
        for (step, is_optional) in self.is_optional.iter().enumerate().skip(1) {
            let found = next.of(step, at + 1 - first).map(|row| row + first);
            let excluded = next.excluded(at + 1 - first).map(|row| row + first);
            let is_between = |row| excluded.is_some_and(|excluded| excluded < row);
            match found.filter(|row| actor.time(*row) <= end && !is_between(*row)) {
                Some(row) => {
                    attempt.taken[step] = take(row);
                    attempt.reached = step;
                    at = row;
                }
                None if *is_optional => {}
                None => break,
            }
        }
        attempt
    }
}

/// For each row of an actor and each step: the first row from there on that matches the step. With it, an attempt costs one
/// look-up per step, however many rows there are.
#[derive(Default)]
struct Next {
    /// For each row and one after the last: a row for each step, and one for what is excluded.
    rows: Vec<u32>,
    steps: usize,
}

const NONE: u32 = u32::MAX;

impl Next {
    fn look<E: Entry>(&mut self, entries: &[E], steps: usize) {
        let width = steps + 1;
        self.steps = steps;
        self.rows.clear();
        self.rows.resize((entries.len() + 1) * width, NONE);
        for (row, entry) in entries.iter().enumerate().rev() {
            let tag = entry.tag();
            let (own, after) = self.rows[row * width..(row + 2) * width].split_at_mut(width);
            for (step, (own, after)) in own.iter_mut().zip(after).enumerate() {
                let bit = if step == steps { EXCLUDED } else { step };
                *own = if tag >> bit & 1 == 1 { row as u32 } else { *after };
            }
        }
    }

    fn of(&self, step: usize, from: usize) -> Option<usize> {
        Some(self.rows[from * (self.steps + 1) + step]).filter(|row| *row != NONE).map(|row| row as usize)
    }

    fn excluded(&self, from: usize) -> Option<usize> {
        self.of(self.steps, from)
    }
}

/// Chooses rows that match a step or are excluded.
struct SomeStep {
    matching: Vec<Matching>,
    exclude: Vec<Matching>,
}

impl Select for SomeStep {
    fn select(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, u32)) {
        let bits = self.matching.iter().zip(0..).chain(self.exclude.iter().map(|one| (one, EXCLUDED)));
        let masks: Vec<(usize, Option<Mask>)> = bits.map(|(one, bit)| (bit, one.mask(rows))).collect();
        let every = masks.iter().filter(|(_, mask)| mask.is_none());
        let every = every.fold(0, |tag, (bit, _)| tag | 1 << bit);
        let masks: Vec<(usize, Mask)> =
            masks.into_iter().filter_map(|(bit, mask)| Some((bit, mask?))).collect();
        let mut any: Option<Mask> = None;
        for (_, mask) in &masks {
            match &mut any {
                Some(any) => any.or(mask),
                None => any = Some(mask.clone()),
            }
        }
        let any = if every == 0 { any.as_ref() } else { rows.mask };
        Rows { mask: any, ..rows.clone() }.each(|row| {
            let tag = masks.iter().fold(every, |tag, (bit, mask)| tag | u32::from(mask.is_set(row)) << bit);
            take(row, tag);
        });
    }
}
