//! Random contents of activities: of values and keys that are easily confused with each other.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Json;
use domain::activity::{ActivityContent, OccurredAtSource};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::tests::house::at;

pub(super) const TYPES: [&str; 5] = ["page.viewed", "order.paid", "cart.added", "übersicht geöffnet", "1"];
pub(super) const ACTORS: [&str; 7] = ["ada", "bob", "Ёж", "1", "ada.l", "ada & co", "zoë"];
/// Names that may be merged: those of actors, and some that no activity has.
pub(super) const NAMES: [&str; 9] =
    ["ada", "bob", "Ёж", "1", "ada.l", "ada & co", "zoë", "anonymous 1", "a/2"];
pub(super) const VALUES: [f64; 12] =
    [1.0, 2.0, 0.1, 0.2, 0.3, -5.0, 0.0, 1e16, 1e308, -1e308, 12.345, 9_007_199_254_740_993.0];
/// Keys of which many activities have one.
pub(super) const KEYS: [&str; 6] = ["plan", "n", "a.b", "ключ", "nested", r"back\slash"];
/// Values of properties.
pub(super) const SCALARS: [&str; 16] = [
    "\"1\"",
    "1",
    "1.0",
    "20000000000000000001",
    "20000000000000000002",
    "true",
    "false",
    "\"true\"",
    "\"free\"",
    "\"Pro ✓\"",
    "\"\"",
    "0.1",
    "-3",
    "1e300",
    "10",
    "\"a\\\"b\"",
];
const COMPOSITES: [&str; 6] = ["null", "{}", "[]", "[1,\"x\"]", "{\"a\":1}", "{\"deep\":{\"er\":null}}"];

/// Where all the time of a history is: around a change of clocks of some zone, none of them the same.
pub(super) const SCENES: [&str; 4] = ["2026-03-24", "2026-03-30", "2026-04-19", "2026-08-31"];
pub(super) const SCENE_DAYS: i64 = 12;
const QUARTERS: i64 = SCENE_DAYS * 96;

pub(super) fn scene() -> impl Strategy<Value = DateTime<Utc>> {
    select(&SCENES[..]).prop_map(|day| at(&format!("{day}T00:00:00Z")))
}

/// Many at the same full quarter of an hour, where days and hours begin; some a microsecond before; a few years ago.
pub(super) fn occurred_at(scene: DateTime<Utc>) -> impl Strategy<Value = DateTime<Utc>> {
    let quarter = (0..QUARTERS).prop_map(move |quarter| scene + TimeDelta::minutes(15 * quarter));
    let day = 24 * 60 * 60 * 1_000_000;
    prop_oneof![
        3 => quarter.clone(),
        1 => quarter.clone().prop_map(|time| time - TimeDelta::microseconds(1)),
        1 => (0..SCENE_DAYS * day).prop_map(move |micros| scene + TimeDelta::microseconds(micros)),
        // Within one day, so that sessions and funnels come about.
        6 => (0..day / 8).prop_map(move |micros| scene + TimeDelta::days(4) + TimeDelta::microseconds(micros)),
        1 => quarter.prop_map(|time| time - TimeDelta::days(800)),
    ]
}

/// A JSON value, of whatever nesting.
fn json() -> impl Strategy<Value = String> {
    let scalar = || select(&SCALARS[..]).prop_map(ToOwned::to_owned);
    prop_oneof![
        6 => scalar(),
        1 => select(&COMPOSITES[..]).prop_map(ToOwned::to_owned),
        1 => scalar().prop_map(|value| format!("{{\"deep\":{{\"er\":{value},\"x.y\":1}},\"flat\":{value}}}")),
    ]
}

/// An object of some of the frequent keys and of a few out of many rare ones; or none.
pub(super) fn object() -> BoxedStrategy<Option<Json>> {
    let frequent = subsequence(&KEYS[..], 0..4).prop_flat_map(|keys| {
        let count = keys.len();
        (Just(keys), proptest::collection::vec(json(), count))
    });
    let rare = proptest::option::weighted(0.2, (0..40u8, json()));
    let text = (frequent, rare).prop_map(|((keys, values), rare)| {
        let key = |key: &str| serde_json::to_string(key).unwrap();
        let frequent = keys.into_iter().zip(values).map(|(name, value)| format!("{}:{value}", key(name)));
        let rare = rare.map(|(number, value)| format!("\"rare {number}\":{value}"));
        let fields: Vec<String> = frequent.chain(rare).collect();
        Some(Json(serde_json::value::RawValue::from_string(format!("{{{}}}", fields.join(","))).unwrap()))
    });
    prop_oneof![1 => Just(None), 3 => text].boxed()
}

/// The first ones most often.
fn skewed(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => select(&of[..3]), 1 => select(of)]
}

pub(super) fn value() -> impl Strategy<Value = Option<f64>> {
    proptest::option::weighted(0.7, select(&VALUES[..]))
}

pub(super) fn content(scene: DateTime<Utc>) -> BoxedStrategy<ActivityContent> {
    let fields = (skewed(&TYPES), skewed(&ACTORS), occurred_at(scene), value(), object(), object());
    fields
        .prop_map(|(kind, actor, occurred_at, value, properties, context)| ActivityContent {
            activity_type: kind.to_owned(),
            actor: actor.to_owned(),
            occurred_at,
            occurred_at_source: OccurredAtSource::Client,
            value,
            properties,
            context,
        })
        .boxed()
}
