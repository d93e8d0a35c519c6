use super::super::durations::Durations;
use super::super::units::Units;
use super::follow::{Session, Tally};
use super::{Body, Day};

/// The numbers of the report, gathered from sessions.
#[derive(Debug)]
pub(super) struct Numbers {
    /// When each day begins and the last one ends.
    starts: Vec<i64>,
    days: Vec<DayNumbers>,
    actors: u64,
    activities: u64,
    single: u64,
    lengths: Durations,
    /// The actor and the day of the session that began last.
    last: Option<(u32, usize)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct DayNumbers {
    sessions: u64,
    actors: u64,
}

impl Numbers {
    pub(super) fn new(starts: Vec<i64>) -> Self {
        Self {
            days: vec![DayNumbers::default(); starts.len() - 1],
            starts,
            actors: 0,
            activities: 0,
            single: 0,
            lengths: Durations::default(),
            last: None,
        }
    }

    /// The day of a time; most often the one of the session before, or soon after it.
    fn day(&self, time: i64, near: usize) -> usize {
        const NEAR: usize = 8;
        let near = near..(near + NEAR).min(self.starts.len() - 1);
        near.clone()
            .find(|day| (self.starts[*day]..self.starts[day + 1]).contains(&time))
            .unwrap_or_else(|| self.starts.partition_point(|start| *start <= time) - 1)
    }

    pub(super) fn body(mut self, days: &Units) -> Body {
        let sessions: u64 = self.days.iter().map(|day| day.sessions).sum();
        let day = |(date, day): (_, &DayNumbers)| Day { date, sessions: day.sessions, actors: day.actors };
        Body {
            sessions,
            actors: self.actors,
            median_s: self.lengths.percentile(50),
            mean_activities: (sessions > 0).then(|| self.activities as f64 / sessions as f64),
            single: self.single,
            days: days.dates.iter().copied().zip(&self.days).map(day).collect(),
        }
    }
}

impl Tally for Numbers {
    const NEEDS_POSITIONS: bool = false;

    fn empty(&self) -> Self {
        Self::new(self.starts.clone())
    }

    fn begin(&mut self, actor: u32, time: i64) {
        let last = self.last.filter(|(other, _)| *other == actor).map(|(_, day)| day);
        let day = self.day(time, last.unwrap_or(0));
        self.last = Some((actor, day));
        self.days[day].sessions += 1;
        self.days[day].actors += u64::from(last != Some(day));
        self.actors += u64::from(last.is_none());
    }

    fn end(&mut self, session: &Session) {
        self.activities += session.activities;
        self.single += u64::from(session.activities == 1);
        self.lengths.push(session.last.abs_diff(session.first));
    }

    fn merge(&mut self, other: Self) {
        for (day, other) in self.days.iter_mut().zip(other.days) {
            day.sessions += other.sessions;
            day.actors += other.actors;
        }
        self.actors += other.actors;
        self.activities += other.activities;
        self.single += other.single;
        self.lengths.merge(other.lengths);
    }
}
