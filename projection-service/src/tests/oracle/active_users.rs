use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use super::calendar::{day_of, days};
use super::json::Json;
use super::log::Activity;
use super::part;
use super::question::ReportQuestion;

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let rows = question.filtered(activities);
    let zone = question.zone();
    let actors = |last: NaiveDate, length: u64| {
        let span = last - Days::new(length - 1)..=last;
        let inside = rows.iter().filter(|row| span.contains(&day_of(zone, row.occurred_at)));
        inside.map(|row| &row.stands_for).collect::<BTreeSet<_>>().len()
    };
    let day = |date: NaiveDate| {
        let (daily, monthly) = (actors(date, 1), actors(date, 30));
        Json::object([
            ("date", Json::from(date.to_string())),
            ("daily", Json::from(daily)),
            ("weekly", Json::from(actors(date, 7))),
            ("monthly", Json::from(monthly)),
            ("stickiness", part(daily, monthly)),
        ])
    };
    let days: Vec<Json> = days(zone, question.from(), question.to()).into_iter().map(day).collect();
    Json::object([("days", Json::Array(days))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{activity, same};

    #[test]
    fn a_week_is_that_day_and_the_6_before_and_a_month_the_29_before() {
        let rows = [
            activity("x", "ada", "2026-03-01T10:00:00Z"),
            activity("x", "bob", "2026-03-24T10:00:00Z"),
            activity("x", "ada", "2026-03-30T10:00:00Z"),
            activity("x", "ada", "2026-03-30T11:00:00Z"),
        ];
        let range = [("from", "2026-03-30"), ("to", "2026-04-01"), ("time_zone", "UTC")];
        same(
            &report(&ReportQuestion::new("", &range), &rows),
            r#"{"days":[{"date":"2026-03-30","daily":1,"weekly":2,"monthly":2,"stickiness":0.5},
                        {"date":"2026-03-31","daily":0,"weekly":1,"monthly":2,"stickiness":0}]}"#,
        );
    }
}
