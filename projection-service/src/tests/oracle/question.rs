use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::calendar::start_of_day;
use super::filter::Filter;
use super::json::Json;
use super::log::Activity;

/// A request for a report: the path, and the parameters before they are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tests) struct ReportQuestion {
    pub(in crate::tests) path: String,
    pub(in crate::tests) parameters: Vec<(String, String)>,
}

impl ReportQuestion {
    pub(in crate::tests) fn new(path: &str, parameters: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { path: path.to_owned(), parameters: parameters.iter().map(owned).collect() }
    }

    #[must_use]
    pub(in crate::tests) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.push((name.to_owned(), value.into()));
        self
    }

    pub(in crate::tests) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(in crate::tests) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(in crate::tests) fn number(&self, name: &str) -> Option<usize> {
        self.get(name).map(|text| text.parse().unwrap())
    }

    /// The path and the query of its address.
    pub(in crate::tests) fn uri(&self) -> String {
        let pairs: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        if pairs.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, pairs.join("&")) }
    }

    pub(in crate::tests) fn zone(&self) -> Tz {
        // The customers of tests live here.
        self.get("time_zone").map_or(Tz::Europe__Berlin, |name| name.parse().unwrap())
    }

    /// An instant, or the beginning of a day of the zone.
    pub(in crate::tests) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.get(name)?;
        let day = text.parse::<NaiveDate>().map(|day| start_of_day(self.zone(), day));
        Some(day.unwrap_or_else(|_| text.parse().unwrap()))
    }

    pub(in crate::tests) fn from(&self) -> DateTime<Utc> {
        self.time("from").unwrap()
    }

    pub(in crate::tests) fn to(&self) -> DateTime<Utc> {
        self.time("to").unwrap()
    }

    /// Whether a time is in the range; without one, every time is.
    pub(in crate::tests) fn is_in_range(&self, time: DateTime<Utc>) -> bool {
        self.time("from").is_none_or(|from| from <= time) && self.time("to").is_none_or(|to| time < to)
    }

    /// Every filter of the question.
    pub(in crate::tests) fn filters(&self) -> Vec<Filter> {
        let given = self.all("filter").map(|text| Filter::of_json(&Json::parse(text).unwrap()));
        let short = ["type", "actor"].into_iter().filter_map(|name| {
            let values = self.all(name).map(Json::from).collect::<Vec<_>>();
            (!values.is_empty()).then(|| Filter::is(name, values))
        });
        given.chain(short).collect()
    }

    /// The activities that pass every filter, whenever they happened.
    pub(in crate::tests) fn filtered(&self, activities: &[Activity]) -> Vec<Activity> {
        let filters = self.filters();
        let passes = |activity: &&Activity| filters.iter().all(|filter| filter.passes(activity));
        activities.iter().filter(passes).cloned().collect()
    }
}

/// Every byte that means something in a query is escaped (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[test]
fn a_question_is_an_address() {
    let question = ReportQuestion::new("/v1/x", &[("filter", r#"["is","type","é"]"#), ("limit", "3")]);
    assert_eq!(question.uri(), "/v1/x?filter=%5B%22is%22%2C%22type%22%2C%22%C3%A9%22%5D&limit=3");
    assert_eq!(question.number("limit"), Some(3));
}

#[test]
fn a_date_is_the_beginning_of_a_day_of_the_zone() {
    let question = ReportQuestion::new("/", &[("from", "2026-04-24"), ("time_zone", "Africa/Cairo")]);
    assert_eq!(question.from(), "2026-04-23T22:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let question = ReportQuestion::new("/", &[("from", "2026-03-29T10:00:00.5+02:00")]);
    assert_eq!(question.from(), "2026-03-29T08:00:00.5Z".parse::<DateTime<Utc>>().unwrap());
}
