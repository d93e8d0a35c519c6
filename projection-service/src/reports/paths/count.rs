use std::collections::HashMap;
use std::ops::Range;

use super::super::by_actor::{Actor, Entry, Fold, Packed, Select, by_actor};
use super::super::matching::Matching;
use super::super::source::Source;
use super::Types;
use crate::columns::{Field, Needs, Rows};
use crate::error::ReportsError;

/// Whether what follows or what precedes is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    After,
    Before,
}

/// What is asked, ready to be computed.
pub(super) struct PathsQuestion {
    pub(super) matching: Matching,
    pub(super) direction: Direction,
    /// When what matches must have happened, in microseconds since 1970.
    pub(super) range: Range<i64>,
    pub(super) depth: usize,
    /// The longest pause within a session, in microseconds.
    pub(super) gap: i64,
}

impl PathsQuestion {
    /// The time in which the activities of paths lie: each step of a path takes at most `gap`.
    pub(super) fn window(&self) -> Range<i64> {
        let reach = self.gap.saturating_mul(self.depth as i64);
        match self.direction {
            Direction::After => self.range.start..self.range.end.saturating_add(reach),
            Direction::Before => self.range.start.saturating_sub(reach)..self.range.end,
        }
    }
}

/// Gathers the activities of paths.
pub(super) trait Tally: Send + Sync + 'static {
    /// Whether the positions of activities are needed.
    const NEEDS_POSITIONS: bool;

    /// For the paths of one thread.
    fn empty(&self) -> Self;

    /// An activity at a depth of a path, its type, the type of the one at the depth before, and the position that first
    /// recorded it, if it is needed.
    fn add(&mut self, depth: usize, before: u32, code: u32, first_position: i64);

    fn merge(&mut self, other: Self);
}

/// Passes every path to `tally`. Returns the question again, and the types with their numbers.
pub(super) async fn paths<T: Tally>(
    source: &impl Source,
    mut question: PathsQuestion,
    types: Types,
    mut tally: T,
) -> Result<(PathsQuestion, Types, T), ReportsError> {
    let mut needs = Needs { actors: true, fields: vec![Field::Type], ..Needs::default() };
    question.matching.add_needs(&mut needs);
    let window = question.window();
    let follow = Follow {
        empty: tally.empty(),
        direction: question.direction,
        range: question.range.clone(),
        depth: question.depth,
        gap: question.gap,
    };
    let (rows, threads) = by_actor(source, window, &needs, EveryType { question, types }, follow).await?;
    for found in threads {
        tally.merge(found);
    }
    Ok((rows.question, rows.types, tally))
}

struct Follow<T> {
    empty: T,
    direction: Direction,
    range: Range<i64>,
    depth: usize,
    gap: i64,
}

/// Bits of a tag: of a type's number, and whether it matches.
const TAG_BITS: u32 = 9;

impl<T: Tally> Fold for Follow<T> {
    type Accumulator = T;
    type Packed = Packed<TAG_BITS>;
    const NEEDS_POSITIONS: bool = T::NEEDS_POSITIONS;

    fn begin(&self) -> T {
        self.empty.empty()
    }

    fn actor<E: Entry>(&self, tally: &mut T, actor: &Actor<'_, E>) {
        for (row, entry) in actor.entries.iter().enumerate() {
            if entry.tag() & 1 == 0 || !self.range.contains(&actor.time(row)) {
                continue;
            }
            tally.add(0, 0, entry.tag() >> 1, entry.first_position());
            let mut at = row;
            for depth in 1..=self.depth {
                let next = match self.direction {
                    Direction::After => Some(at + 1).filter(|next| *next < actor.entries.len()),
                    Direction::Before => at.checked_sub(1),
                };
                let Some(next) = next else { break };
                if actor.time(next).abs_diff(actor.time(at)) > self.gap.unsigned_abs() {
                    break;
                }
                let (before, entry) = (actor.entries[at], actor.entries[next]);
                tally.add(depth, before.tag() >> 1, entry.tag() >> 1, entry.first_position());
                at = next;
            }
        }
    }
}

/// Tags each row with its type, and whether it matches what is asked for.
struct EveryType {
    question: PathsQuestion,
    types: Types,
}

impl Select for EveryType {
    fn select(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, u32)) {
        // The type is the first field that is read.
        let column = &rows.fields[0];
        let codes = self.types.codes(column);
        let code = |row: usize| codes[usize::from(column.codes[row])] << 1;
        match self.question.matching.mask(rows) {
            None => rows.each(|row| take(row, code(row) | 1)),
            Some(mask) => rows.each(|row| take(row, code(row) | u32::from(mask.is_set(row)))),
        }
    }
}

/// How often each type comes after each other one, at each depth.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<(usize, u32, u32), u64, foldhash::fast::RandomState>);

impl Counts {
    /// Depth, type and count.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, u32, u64)> {
        let mut nodes: HashMap<(usize, u32), u64> = HashMap::new();
        for ((depth, _, code), count) in &self.0 {
            *nodes.entry((*depth, *code)).or_default() += count;
        }
        nodes.into_iter().map(|((depth, code), count)| (depth, code, count))
    }

    /// Depth, the type at the depth before, the type at this one, and count.
    pub(super) fn links(&self) -> impl Iterator<Item = (usize, u32, u32, u64)> {
        let links = self.0.iter().filter(|((depth, ..), _)| *depth > 0);
        links.map(|((depth, before, code), count)| (*depth, *before, *code, *count))
    }
}

impl Tally for Counts {
    const NEEDS_POSITIONS: bool = false;

    fn empty(&self) -> Self {
        Self::default()
    }

    fn add(&mut self, depth: usize, before: u32, code: u32, _: i64) {
        *self.0.entry((depth, before, code)).or_default() += 1;
    }

    fn merge(&mut self, other: Self) {
        for (key, count) in other.0 {
            *self.0.entry(key).or_default() += count;
        }
    }
}

/// The activities of one node or one link.
#[derive(Debug)]
pub(super) struct FirstPositionsOf {
    depth: usize,
    before: Option<u32>,
    code: u32,
    pub(super) positions: Vec<i64>,
}

impl FirstPositionsOf {
    pub(super) fn node(depth: usize, code: u32) -> Self {
        Self { depth, before: None, code, positions: Vec::new() }
    }

    pub(super) fn link(depth: usize, before: u32, code: u32) -> Self {
        Self { depth, before: Some(before), code, positions: Vec::new() }
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }
}

impl Tally for FirstPositionsOf {
    const NEEDS_POSITIONS: bool = true;

    fn empty(&self) -> Self {
        Self { positions: Vec::new(), ..*self }
    }

    fn add(&mut self, depth: usize, before: u32, code: u32, first_position: i64) {
        if (depth, code) == (self.depth, self.code) && self.before.is_none_or(|wanted| wanted == before) {
            self.positions.push(first_position);
        }
    }

    fn merge(&mut self, other: Self) {
        self.positions.extend(other.positions);
    }
}
