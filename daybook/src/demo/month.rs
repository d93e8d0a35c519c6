use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use serde::Serialize;
use serde_json::{Value, json};

use super::TIME_ZONE;
use super::catalogue::{DEEDS, Deed, Person};
use super::random::Random;

/// How many days the month has, the last one included.
const DAYS: u64 = 30;
const PEOPLE: u64 = 300;
/// How many of them are there from the beginning; the others sign up in the course of the month.
const PEOPLE_BEFORE: u64 = 170;
const SEED: u64 = 0x0DA7_B00C;
const CORRECTIONS: usize = 14;
const REDACTIONS: usize = 6;

/// When visits begin: the hour, and how often.
const HOURS: [(u32, u64); 17] = [
    (6, 2),
    (7, 8),
    (8, 30),
    (9, 52),
    (10, 60),
    (11, 54),
    (12, 30),
    (13, 38),
    (14, 52),
    (15, 50),
    (16, 42),
    (17, 28),
    (18, 16),
    (19, 12),
    (20, 12),
    (21, 8),
    (22, 4),
];

/// An activity as a client sends it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Activity {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) actor: String,
    pub(super) occurred_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<f64>,
    pub(super) properties: Value,
    pub(super) context: Value,
}

/// All that happens.
#[derive(Debug, PartialEq)]
pub(super) struct Month {
    /// In order of time.
    pub(super) activities: Vec<Activity>,
    /// Ids, and what is sent as the correction.
    pub(super) corrections: Vec<(String, Value)>,
    /// Ids of the activities that are redacted.
    pub(super) redactions: Vec<String>,
}

impl Month {
    /// The month that ends at `until`.
    pub(super) fn until(until: DateTime<Utc>) -> Self {
        let mut random = Random::new(SEED);
        let last = until.with_timezone(&TIME_ZONE).date_naive();
        let first = last.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(last);
        let mut activities = Vec::new();
        for number in 0..PEOPLE {
            let person = Person::new(number, &mut random);
            // In hundredths of the most eager one.
            let eagerness = random.between(18, 100);
            let joined =
                number.checked_sub(PEOPLE_BEFORE).map(|newcomer| newcomer * DAYS / (PEOPLE - PEOPLE_BEFORE));
            for day in joined.unwrap_or(0)..DAYS {
                let date = first.checked_add_days(Days::new(day)).unwrap_or(last);
                let days_since = joined.map(|joined| day - joined);
                let visits = visits(date, days_since, eagerness, &mut random);
                for visit in 0..visits {
                    let is_first = days_since == Some(0) && visit == 0;
                    let session = format!("s-{day:02}-{number:03}-{visit}");
                    visit_once(&person, date, &session, is_first, &mut random, &mut activities);
                }
            }
        }
        activities.retain(|activity| activity.occurred_at <= until);
        activities.sort_by(|a, b| (a.occurred_at, &a.actor).cmp(&(b.occurred_at, &b.actor)));
        for (number, activity) in activities.iter_mut().enumerate() {
            activity.id = format!("demo-{}-{:05}", until.timestamp(), number + 1);
        }
        Self { corrections: corrections(&activities), redactions: redactions(&activities), activities }
    }
}

/// How many visits an actor makes on a day: a new actor comes at once, and then more rarely as the weeks go by.
fn visits(date: NaiveDate, days_since: Option<u64>, eagerness: u64, random: &mut Random) -> u64 {
    let weekday = match date.weekday() {
        Weekday::Sat => 22,
        Weekday::Sun => 15,
        Weekday::Fri => 82,
        _ => 100,
    };
    let habit = match days_since {
        Some(0) => return 1 + random.below(2),
        Some(days) => 26 + 40 / (1 + days / 3),
        None => 72,
    };
    let comes = random.per_mille(eagerness * weekday * habit / 1_000);
    if comes { random.weighted(&[(1, 72), (2, 22), (3, 6)]).unwrap_or(1) } else { 0 }
}

fn visit_once(
    person: &Person,
    date: NaiveDate,
    session: &str,
    is_first: bool,
    random: &mut Random,
    activities: &mut Vec<Activity>,
) {
    let hour = random.weighted(&HOURS).unwrap_or(9);
    let begin = date.and_hms_opt(hour, random.below(60) as u32, random.below(60) as u32);
    // An hour that daylight saving leaves out has no visits.
    let Some(mut time) = begin.and_then(|begin| TIME_ZONE.from_local_datetime(&begin).earliest()) else {
        return;
    };
    let mut add = |time: DateTime<_>, kind, page: &str, (properties, value)| {
        activities.push(Activity {
            id: String::new(),
            kind,
            actor: person.actor.clone(),
            occurred_at: DateTime::with_timezone(&time, &Utc),
            value,
            properties,
            context: person.context(session, page),
        });
    };
    if is_first {
        let source = random.weighted(&[("search", 45), ("friend", 30), ("advert", 25)]).unwrap_or_default();
        add(time, "account.created", "/pricing", (json!({"source": source}), None));
        time += TimeDelta::seconds(random.between(5, 40) as i64);
    }
    for _ in 0..random.between(3, 13) {
        let deed = random.weighted(&DEEDS).unwrap_or(Deed::ViewPage);
        let page = Person::page(random);
        add(time, deed.activity_type(), page, deed.details(page, random));
        time += TimeDelta::milliseconds(random.between(4_000, 190_000) as i64);
    }
}

/// Some invoices had a wrong amount.
fn corrections(activities: &[Activity]) -> Vec<(String, Value)> {
    let invoices = activities.iter().filter(|activity| activity.kind == Deed::SendInvoice.activity_type());
    let wrong = invoices.step_by(31).take(CORRECTIONS);
    wrong
        .map(|invoice| {
            let cents = (invoice.value.unwrap_or_default() * 90.0).round();
            (invoice.id.clone(), json!({"value": cents / 100.0}))
        })
        .collect()
}

/// Some comments should not have been written.
fn redactions(activities: &[Activity]) -> Vec<String> {
    let comments = activities.iter().filter(|activity| activity.kind == Deed::AddComment.activity_type());
    comments.step_by(97).take(REDACTIONS).map(|comment| comment.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use chrono::Timelike;
    use domain::ActivityId;
    use domain::activity::{Pending, Revision};

    use super::*;

    fn until() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 24, 15, 30, 0).unwrap()
    }

    #[test]
    fn the_same_end_makes_the_same_month() {
        assert_eq!(Month::until(until()), Month::until(until()));
        assert_ne!(
            Month::until(until()).activities[0].id,
            Month::until(until() + TimeDelta::hours(1)).activities[0].id
        );
    }

    #[test]
    fn it_is_about_as_large_as_it_should_be() {
        let month = Month::until(until());
        assert!((17_000..24_000).contains(&month.activities.len()), "{}", month.activities.len());
        let actors: BTreeSet<&str> =
            month.activities.iter().map(|activity| activity.actor.as_str()).collect();
        assert!((280..=300).contains(&actors.len()), "{}", actors.len());
        let types: BTreeSet<&str> = month.activities.iter().map(|activity| activity.kind).collect();
        assert_eq!(types.len(), 8);
        assert_eq!((month.corrections.len(), month.redactions.len()), (CORRECTIONS, REDACTIONS));
    }

    #[test]
    fn every_activity_is_within_the_limits_and_none_lies_in_the_future() {
        let month = Month::until(until());
        let earliest = until() - TimeDelta::days(30);
        for activity in &month.activities {
            assert!(activity.occurred_at <= until() && activity.occurred_at > earliest, "{activity:?}");
            let pending: Pending = serde_json::from_str(&serde_json::to_string(activity).unwrap()).unwrap();
            pending.check(until(), ActivityId::default).unwrap();
        }
        let ids: BTreeSet<&str> = month.activities.iter().map(|activity| activity.id.as_str()).collect();
        assert_eq!(ids.len(), month.activities.len());
        for (_, correction) in &month.corrections {
            serde_json::from_value::<Revision>(correction.clone()).unwrap();
        }
    }

    #[test]
    fn people_work_on_weekdays_and_by_day() {
        let mut days: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        let mut night = 0;
        let month = Month::until(until());
        for activity in &month.activities {
            let local = activity.occurred_at.with_timezone(&TIME_ZONE);
            *days.entry(local.date_naive()).or_default() += 1;
            night += usize::from(local.hour() < 6);
        }
        assert_eq!(days.len(), 30);
        let mean = |is_wanted: fn(Weekday) -> bool| {
            let counts: Vec<usize> =
                days.iter().filter(|(day, _)| is_wanted(day.weekday())).map(|(_, count)| *count).collect();
            counts.iter().sum::<usize>() / counts.len()
        };
        let (weekend, week) =
            (mean(|day| day.number_from_monday() > 5), mean(|day| day.number_from_monday() <= 5));
        assert!(week > 3 * weekend && weekend > 50, "{week} {weekend}");
        assert!(night * 50 < month.activities.len(), "{night}");
    }
}
