//! What every report must say, computed again from the events alone, with the most obvious code.
//!
//! Written from the definitions of the reports and without a look at how the service computes them: nothing of the service
//! is used here. Every report gets all activities as they stood at the moment, in the order of time and position.

mod active_users;
mod activity;
mod actors;
pub(super) mod calendar;
mod filter;
mod funnel;
mod identities;
pub(super) mod json;
mod list;
pub(super) mod log;
mod number;
mod paths;
pub(super) mod question;
mod retention;
mod sessions;
#[cfg(test)]
mod testing;
mod top;

pub(super) use filter::{path, scalar_text};
use json::Json;
use log::Log;
use question::ReportQuestion;

/// The body that a report must have when the partition is folded up to a position; without `lag_ms`.
pub(super) fn answer(log: &Log, question: &ReportQuestion, folded: i64) -> Json {
    let position = match question.get("as_of") {
        None => folded,
        Some(asked) => match asked.parse::<i64>() {
            Ok(position) => position.min(folded),
            Err(_) => log.position_at(asked.parse().unwrap()).min(folded),
        },
    };
    let activities = log.standing(position, folded);
    let mut body = match question.path.as_str() {
        "/v1/reports/activity" => activity::report(question, &activities),
        "/v1/reports/active-users" => active_users::report(question, &activities),
        "/v1/reports/retention" => retention::report(question, &activities),
        "/v1/reports/funnel" => funnel::report(question, &activities),
        "/v1/reports/sessions" => sessions::report(question, &activities),
        "/v1/reports/top" => top::report(question, &activities),
        "/v1/reports/paths" => paths::report(question, &activities),
        "/v1/activities" => list::report(question, &activities),
        "/v1/actors" => actors::report(question, &activities),
        // The only actor of whom this is asked. Where there is nothing of her, there is no answer.
        "/v1/actors/ada" => match actors::one(question, "ada", &activities, (log, position)) {
            Some(actor) => actor,
            None => return Json::Null,
        },
        "/v1/actors/ada/activities" => {
            list::report(&question.clone().with("filter", r#"["is","actor","ada"]"#), &activities)
        }
        other => panic!("there is no report {other}"),
    };
    let Json::Object(fields) = &mut body else { unreachable!("a report is an object") };
    let time = usize::try_from(position - 1).ok().and_then(|index| log.recorded_at.get(index));
    let as_of = Json::object([
        ("position", Json::from(position as usize)),
        ("time", Json::from(time.copied().map(calendar::instant))),
    ]);
    fields.insert("as_of".to_owned(), as_of);
    if question.path.starts_with("/v1/reports/") {
        let range = Json::object([
            ("from", Json::from(calendar::instant(question.from()))),
            ("to", Json::from(calendar::instant(question.to()))),
            ("time_zone", Json::from(question.zone().name())),
        ]);
        fields.insert("range".to_owned(), range);
    }
    fields.insert("customer_id".to_owned(), Json::from(log.customer.to_string()));
    body
}

/// The least number of which at least `percent` of all are no greater; the numbers are in order.
fn nearest_rank<T: Clone>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).cloned()
}

/// A part of a whole, where there is a whole.
fn part(part: usize, whole: usize) -> Json {
    if whole == 0 { Json::Null } else { Json::real(part as f64 / whole as f64) }
}

#[test]
fn the_nearest_rank_is_a_number_that_is_there() {
    assert_eq!(nearest_rank::<i32>(&[], 50), None);
    assert_eq!(nearest_rank(&[7], 99), Some(7));
    assert_eq!(nearest_rank(&[1, 2], 50), Some(1));
    assert_eq!(nearest_rank(&[1, 2, 3], 50), Some(2));
    let hundred: Vec<i32> = (1..=100).collect();
    assert_eq!([50, 90, 99].map(|percent| nearest_rank(&hundred, percent)), [Some(50), Some(90), Some(99)]);
    assert_eq!(nearest_rank(&hundred[..11], 90), Some(10));
}
