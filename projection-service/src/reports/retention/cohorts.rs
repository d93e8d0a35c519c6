use super::super::actor_set::{ActorSet, BLOCK_WORDS};
use super::super::matching::Matching;
use super::super::source::{RowTest, Source};
use super::{Cohort, RetentionQuestion};
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::Scan;

/// The actors that began and that came back, by unit.
pub(super) struct Cohorts {
    question: RetentionQuestion,
    found: Found,
}

/// The result of one thread.
struct Found {
    /// The actors that began before the first unit; not used for `any`.
    before: ActorSet,
    /// The actors with an activity that matches `start`, by unit.
    starts: Vec<ActorSet>,
    /// The actors with an activity that matches `return`, by unit; empty if both match the same.
    returns: Vec<ActorSet>,
}

struct FindActors {
    question: RetentionQuestion,
}

impl Cohorts {
    pub(super) async fn scan(
        source: &impl Source,
        mut question: RetentionQuestion,
    ) -> Result<Self, ReportsError> {
        let mut needs = Needs { actors: true, ..Needs::default() };
        question.start.add_needs(&mut needs);
        question.returning.add_needs(&mut needs);
        let mut window = question.units.starts[0]..question.units.starts[question.units.len()];
        if question.cohort == Cohort::First {
            window.start = i64::MIN;
        }
        let (scan, partials) = source.scan(window, &needs, FindActors { question }).await?;
        let mut partials = partials.into_iter();
        let mut found = partials.next().unwrap_or_else(|| scan.begin());
        partials.for_each(|partial| found.merge(partial));
        Ok(Self { question: scan.question, found })
    }

    /// For each unit how many began in it, and how many of them came back in the same one and in each later one.
    pub(super) async fn count(self, source: &impl Source) -> Result<Vec<(u64, Vec<u64>)>, ReportsError> {
        let units = self.question.units.len();
        let begin = move || (0..units).map(|unit| (0, vec![0; units - unit])).collect::<Vec<_>>();
        let blocks = self.found.blocks();
        let threads = source
            .fold_parts((0..blocks).collect(), begin, move |counts: &mut Vec<_>, block| {
                self.count_block(block, counts);
            })
            .await?;
        let mut total = begin();
        for counts in threads {
            for ((size, retained), (more, returned)) in total.iter_mut().zip(counts) {
                *size += more;
                retained.iter_mut().zip(returned).for_each(|(count, more)| *count += more);
            }
        }
        Ok(total)
    }

    fn count_block(&self, block: usize, counts: &mut [(u64, Vec<u64>)]) {
        let returns = if self.question.is_same { &self.found.starts } else { &self.found.returns };
        let mut returned = vec![0; returns.len() * BLOCK_WORDS];
        for (unit, words) in returns.iter().zip(returned.chunks_exact_mut(BLOCK_WORDS)) {
            unit.add_block(block, words);
        }
        self.each_cohort(block, |unit, members| {
            // Few of the first cohorts have most of the actors, so most words of the others are empty.
            let members: Vec<(usize, u64)> =
                members.iter().copied().enumerate().filter(|(_, word)| *word != 0).collect();
            let (size, retained) = &mut counts[unit];
            *size += members.iter().map(|(_, word)| u64::from(word.count_ones())).sum::<u64>();
            for (count, words) in retained.iter_mut().zip(returned.chunks_exact(BLOCK_WORDS).skip(unit)) {
                let both = members.iter().map(|(index, word)| u64::from((word & words[*index]).count_ones()));
                *count += both.sum::<u64>();
            }
        });
    }

    /// Calls `see` with each unit and a bit for each of the block's actors that belong to it.
    fn each_cohort(&self, block: usize, mut see: impl FnMut(usize, &[u64])) {
        let mut earlier = vec![0; BLOCK_WORDS];
        self.found.before.add_block(block, &mut earlier);
        for (unit, actors) in self.found.starts.iter().enumerate() {
            let mut members = vec![0; BLOCK_WORDS];
            actors.add_block(block, &mut members);
            if self.question.cohort == Cohort::First {
                for (member, earlier) in members.iter_mut().zip(&mut earlier) {
                    *member &= !*earlier;
                    *earlier |= *member;
                }
            }
            see(unit, &members);
        }
    }

    /// What the members of a unit began with, or came back with, and what must be read to choose it.
    pub(super) fn into_members(self, cohort: usize, is_start: bool) -> (Needs, Members) {
        let mut actors = Vec::new();
        for block in 0..self.found.blocks() {
            self.each_cohort(block, |unit, members| {
                if unit == cohort {
                    actors.extend_from_slice(members);
                }
            });
        }
        let mut matching = if is_start { self.question.start } else { self.question.returning };
        let mut needs = Needs { actors: true, ..Needs::default() };
        matching.add_needs(&mut needs);
        (needs, Members { matching, actors })
    }
}

impl Found {
    fn merge(&mut self, other: Self) {
        self.before.merge(other.before);
        self.starts.iter_mut().zip(other.starts).for_each(|(unit, other)| unit.merge(other));
        self.returns.iter_mut().zip(other.returns).for_each(|(unit, other)| unit.merge(other));
    }

    fn blocks(&self) -> usize {
        self.starts.iter().chain(&self.returns).map(ActorSet::blocks).max().unwrap_or(0)
    }
}

impl Scan for FindActors {
    type Partial = Found;

    fn begin(&self) -> Found {
        let units = vec![ActorSet::default(); self.question.units.len()];
        let returns = if self.question.is_same { Vec::new() } else { units.clone() };
        Found { before: ActorSet::default(), starts: units, returns }
    }

    fn scan(&self, found: &mut Found, rows: &Rows<'_>) {
        let starts = &self.question.units.starts;
        let actors = |rows: &Rows<'_>, part, set: &mut ActorSet| {
            rows.each_of(part, |row| set.insert(rows.actors[row]));
        };
        self.question.start.each(rows, |rows| {
            actors(rows, rows.between(i64::MIN, starts[0]), &mut found.before);
            for (unit, set) in starts.windows(2).zip(&mut found.starts) {
                actors(rows, rows.between(unit[0], unit[1]), set);
            }
        });
        if !self.question.is_same {
            self.question.returning.each(rows, |rows| {
                for (unit, set) in starts.windows(2).zip(&mut found.returns) {
                    actors(rows, rows.between(unit[0], unit[1]), set);
                }
            });
        }
    }
}

/// Chooses what members of a cohort did.
pub(super) struct Members {
    matching: Matching,
    /// A bit for each of them.
    actors: Vec<u64>,
}

impl RowTest for Members {
    fn choose(&self, rows: &Rows<'_>, mut take: impl FnMut(usize)) {
        let is_member = |actor: u32| {
            self.actors.get(actor as usize / 64).is_some_and(|word| word >> (actor % 64) & 1 == 1)
        };
        self.matching.each(rows, |rows| {
            rows.each(|row| {
                if is_member(rows.actors[row]) {
                    take(row);
                }
            });
        });
    }
}
