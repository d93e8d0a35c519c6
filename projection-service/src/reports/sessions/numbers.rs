use super::super::durations::Durations;
use super::super::units::Units;
use super::follow::{Session, Tally};
use super::{Body, Day};

const DAY_US: i64 = 86_400_000_000;

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

    /// The day of a time. Most days have 24 hours, so it is near to where it would be if all had.
    fn day(&self, time: i64) -> usize {
        let days = self.days.len();
        let guess = (time - self.starts[0]) / DAY_US;
        let mut day = usize::try_from(guess).unwrap_or(0).min(days - 1);
        while day > 0 && self.starts[day] > time {
            day -= 1;
        }
        while day + 1 < days && self.starts[day + 1] <= time {
            day += 1;
        }
        day
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
        let day = self.day(time);
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
