//! Random questions about a history.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;

use super::content::{KEYS, NAMES, SCALARS, SCENE_DAYS, TYPES, VALUES};
use super::world::ONE_ACTOR;
use crate::tests::oracle::path;
use crate::tests::oracle::question::ReportQuestion;

/// Zones of half hours and of 45 minutes, and days that have no midnight.
const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "America/St_Johns",
];
const MEASURES: [&str; 9] = ["count", "actors", "sum", "mean", "min", "max", "p50", "p90", "p99"];

/// Keys that lead into an object.
const INSIDE: [&[&str]; 3] = [&["nested", "deep", "er"], &["nested", "flat"], &["nested", "deep"]];

type Pairs = Vec<(String, String)>;

fn pair(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn one(name: &'static str, of: &'static [&'static str]) -> impl Strategy<Value = Pairs> {
    select(of).prop_map(move |value| vec![pair(name, value)])
}

fn sometimes(strategy: impl Strategy<Value = Pairs>) -> impl Strategy<Value = Pairs> {
    proptest::option::of(strategy).prop_map(Option::unwrap_or_default)
}

fn field() -> BoxedStrategy<String> {
    let object = || select(&["properties", "context"][..]);
    let inside = select(&INSIDE[..]);
    prop_oneof![
        1 => Just("type".to_owned()),
        1 => Just("actor".to_owned()),
        1 => Just("value".to_owned()),
        3 => (object(), select(&KEYS[..])).prop_map(|(object, key)| path(object, &[key])),
        1 => (object(), inside).prop_map(|(object, keys)| path(object, keys)),
        1 => (0..40u8).prop_map(|number| path("properties", &[&format!("rare {number}")])),
        2 => select(&KEYS[..]).prop_map(|key| path("traits", &[key])),
        1 => select(&INSIDE[..]).prop_map(|keys| path("traits", keys)),
    ]
    .boxed()
}

/// A field that is asked for, which says something only about few activities if it is a name.
fn dimension() -> impl Strategy<Value = String> {
    field()
}

/// JSON values that some activity may have in a field.
fn values(field: &str) -> BoxedStrategy<String> {
    let texts =
        |of: &'static [&'static str]| select(of).prop_map(|text| serde_json::to_string(text).unwrap());
    match field {
        "type" => texts(&TYPES).boxed(),
        "actor" => texts(&NAMES).boxed(),
        "value" => select(&VALUES[..]).prop_map(|value| format!("{value:e}")).boxed(),
        _ => select(&SCALARS[..]).prop_map(ToOwned::to_owned).boxed(),
    }
}

/// A filter as JSON.
pub(super) fn filter() -> BoxedStrategy<String> {
    let of_field = |field: String| {
        let name = serde_json::to_string(&field).unwrap();
        let number = prop_oneof![
            select(&VALUES[..]).prop_map(|value| format!("{value:e}")),
            select(&["20000000000000000001", "1.0", "0.30", "-3"][..]).prop_map(ToOwned::to_owned),
        ];
        let part = select(&["a", "page.", "1", "", "ё", "Ё", "o ✓", "der", "übersicht"][..]);
        let (a, b, c, d) = (name.clone(), name.clone(), name.clone(), name);
        prop_oneof![
            4 => (select(&["is", "is_not"][..]), proptest::collection::vec(values(&field), 1..3))
                .prop_map(move |(op, values)| format!("[\"{op}\",{a},{}]", values.join(","))),
            1 => (select(&["contains", "starts_with"][..]), part)
                .prop_map(move |(op, text)| format!("[\"{op}\",{b},{}]", serde_json::to_string(text).unwrap())),
            2 => (select(&["gt", "gte", "lt", "lte"][..]), number)
                .prop_map(move |(op, number)| format!("[\"{op}\",{c},{number}]")),
            1 => select(&["exists", "not_exists"][..]).prop_map(move |op| format!("[\"{op}\",{d}]")),
        ]
    };
    field().prop_flat_map(of_field).boxed()
}

fn filters() -> BoxedStrategy<Pairs> {
    let given = proptest::collection::vec(filter().prop_map(|filter| pair("filter", filter)), 1..3);
    let short = prop_oneof![one("type", &TYPES), one("actor", &NAMES)];
    prop_oneof![
        6 => Just(Pairs::new()),
        3 => given,
        1 => short,
    ]
    .boxed()
}

/// A range of some hours or days, and perhaps a zone: dates, or instants that may lie within buckets.
fn range(scene: DateTime<Utc>, days_max: i64) -> BoxedStrategy<Pairs> {
    // Most of them begin before the day on which most of it happens.
    let first = || prop_oneof![3 => 0..5i64, 1 => -1..SCENE_DAYS];
    let within = move |width: i64| {
        (first(), 0..width, 1..=days_max * width)
            .prop_map(move |(day, first, length)| (day * width + first, length))
    };
    let dates = (first(), 1..=days_max).prop_map(move |(first, days)| {
        let date = |days: i64| (scene + TimeDelta::days(days)).date_naive().to_string();
        vec![pair("from", date(first)), pair("to", date(first + days))]
    });
    let instant = |time: DateTime<Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let quarters = within(96).prop_map(move |(first, quarters)| {
        let time = |quarter: i64| instant(scene + TimeDelta::minutes(15 * quarter));
        vec![pair("from", time(first)), pair("to", time(first + quarters))]
    });
    let odd = within(86_400).prop_map(move |(first, seconds)| {
        let time = |second: i64| instant(scene + TimeDelta::milliseconds(second * 1_000 + 1));
        vec![pair("from", time(first)), pair("to", time(first + seconds))]
    });
    let range = prop_oneof![3 => dates, 2 => quarters, 1 => odd];
    (range, sometimes(one("time_zone", &ZONES))).prop_map(|(range, zone)| [range, zone].concat()).boxed()
}

fn question(
    path: &'static str,
    parameters: impl Strategy<Value = Vec<Pairs>> + 'static,
) -> BoxedStrategy<ReportQuestion> {
    parameters
        .prop_map(move |parameters| ReportQuestion { path: path.to_owned(), parameters: parameters.concat() })
        .boxed()
}

fn count(name: &'static str, of: std::ops::Range<usize>) -> impl Strategy<Value = Pairs> {
    of.prop_map(move |number| vec![pair(name, number.to_string())])
}

pub(super) fn activity(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let interval = prop_oneof![
        1 => Just("minute"), 2 => Just("hour"), 4 => Just("day"), 1 => Just("week"), 1 => Just("month"),
    ];
    interval.prop_flat_map(move |interval| {
        let days_max = if interval == "minute" { 1 } else { SCENE_DAYS };
        // Minutes of many groups would be more numbers than a report has.
        let groups = if interval == "minute" { 1 } else { 3 };
        let groups =
            proptest::collection::vec(dimension().prop_map(|name| pair("group_by", name)), 0..groups);
        let parameters = (
            range(scene, days_max),
            filters(),
            sometimes(one("measure", &MEASURES)),
            groups.prop_filter("two fields", |groups| groups.len() < 2 || groups[0] != groups[1]),
            sometimes(count("groups", 1..4)),
        );
        question(
            "/v1/reports/activity",
            parameters.prop_map(move |(range, filters, measure, by, groups)| {
                let groups = if by.is_empty() { Vec::new() } else { groups };
                vec![range, vec![pair("interval", interval)], filters, measure, by, groups]
            }),
        )
    })
}

pub(super) fn active_users(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    question(
        "/v1/reports/active-users",
        (range(scene, 5), filters()).prop_map(|(range, filters)| vec![range, filters]),
    )
}

/// A type, or an array of filters.
fn matching() -> BoxedStrategy<String> {
    let filters =
        proptest::collection::vec(filter(), 1..3).prop_map(|filters| format!("[{}]", filters.join(",")));
    prop_oneof![8 => select(&TYPES[..3]).prop_map(ToOwned::to_owned), 1 => filter(), 1 => filters].boxed()
}

fn such(name: &'static str) -> impl Strategy<Value = Pairs> {
    sometimes(matching().prop_map(move |text| vec![pair(name, text)]))
}

pub(super) fn retention(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let parameters = (
        range(scene, SCENE_DAYS),
        filters(),
        sometimes(one("unit", &["day", "week", "month"])),
        such("start"),
        such("return"),
        sometimes(one("cohort", &["first", "any"])),
    );
    question(
        "/v1/reports/retention",
        parameters.prop_map(|(range, filters, unit, start, back, cohort)| {
            vec![range, filters, unit, start, back, cohort]
        }),
    )
}

fn optional_step() -> impl Strategy<Value = String> {
    select(&TYPES[..])
        .prop_map(|name| format!("{{\"type\":{},\"optional\":true}}", serde_json::to_string(name).unwrap()))
}

pub(super) fn funnel(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let parameters = (
        range(scene, SCENE_DAYS),
        filters(),
        (matching(), proptest::collection::vec(prop_oneof![5 => matching(), 1 => optional_step()], 1..4))
            .prop_map(|(first, others)| {
                std::iter::once(first).chain(others).map(|text| pair("step", text)).collect()
            }),
        sometimes(one("within", &["1h", "90m", "1d", "7d"])),
        such("exclude"),
    );
    question(
        "/v1/reports/funnel",
        parameters.prop_map(|(range, filters, steps, within, exclude)| {
            vec![range, filters, steps, within, exclude]
        }),
    )
}

pub(super) fn sessions(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let gap = sometimes(one("gap", &["5m", "15m", "1h", "1d"]));
    question(
        "/v1/reports/sessions",
        (range(scene, SCENE_DAYS), filters(), gap)
            .prop_map(|(range, filters, gap)| vec![range, filters, gap]),
    )
}

pub(super) fn top(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let dimension = dimension().prop_map(|name| vec![pair("dimension", name)]);
    question(
        "/v1/reports/top",
        (range(scene, SCENE_DAYS), filters(), dimension, sometimes(count("limit", 1..4)))
            .prop_map(|(range, filters, dimension, limit)| vec![range, filters, dimension, limit]),
    )
}

pub(super) fn paths(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let end = select(&["start", "end"][..]);
    let end = (end, matching()).prop_map(|(name, text)| vec![pair(name, text)]);
    let gap = sometimes(one("gap", &["5m", "1h", "1d"]));
    question(
        "/v1/reports/paths",
        (range(scene, SCENE_DAYS), filters(), end, sometimes(count("depth", 1..6)), gap)
            .prop_map(|(range, filters, end, depth, gap)| vec![range, filters, end, depth, gap]),
    )
}

pub(super) fn list(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    question(
        "/v1/activities",
        (sometimes(range(scene, SCENE_DAYS)), filters(), sometimes(count("limit", 1..6)))
            .prop_map(|(range, filters, limit)| vec![range, filters, limit]),
    )
}

/// Actors by a part of their name, or what one of them did.
pub(super) fn actors(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    let found = one("q", &["", "A", "ё", "&", ".", "Zoë"]);
    let all = question(
        "/v1/actors",
        (sometimes(range(scene, SCENE_DAYS)), filters(), sometimes(found), sometimes(count("limit", 1..4)))
            .prop_map(|(range, filters, found, limit)| vec![range, filters, found, limit]),
    );
    let of_one = question(
        "/v1/actors/ada/activities",
        // The actor is in the path, and nowhere else.
        filters().prop_map(|filters| vec![filters.into_iter().filter(|(name, _)| name != "actor").collect()]),
    );
    let one = question(
        ONE_ACTOR,
        (sometimes(range(scene, SCENE_DAYS)), filters()).prop_map(|(range, filters)| {
            vec![range, filters.into_iter().filter(|(name, _)| name != "actor").collect()]
        }),
    );
    prop_oneof![2 => all, 1 => of_one, 1 => one]
}

/// Of any report.
pub(super) fn any(scene: DateTime<Utc>) -> impl Strategy<Value = ReportQuestion> {
    prop_oneof![
        4 => activity(scene),
        1 => active_users(scene),
        2 => retention(scene),
        2 => funnel(scene),
        2 => sessions(scene),
        2 => top(scene),
        1 => paths(scene),
        2 => list(scene),
        1 => actors(scene),
    ]
}
