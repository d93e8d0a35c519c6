use std::collections::HashMap;

use proptest::prelude::*;

use super::{Condition, Filter, Predicate, Test, names};
use crate::columns::{Field, Needs, RowSet, Scalar};
use crate::error::ReportsError;
use crate::reports::in_memory::Chunk;

const ACTORS: [&str; 3] = ["ada", "bob/1", "cem"];

/// Five activities: the time is the number of each.
fn activities() -> RowSet {
    let mut set = RowSet::default();
    let rows: [(u32, &str, Option<f64>, &str); 5] = [
        (0, "page.viewed", None, r#"{"plan":"pro","n":1}"#),
        (1, "page.viewed", Some(9.5), r#"{"plan":"1","n":1.0}"#),
        (2, "order.paid", Some(9.51), r#"{"plan":1,"n":10}"#),
        (0, "order.paid", Some(-3.0), r#"{"plan":{"a.b":true},"n":"10"}"#),
        (1, "sign.up", Some(100.0), r#"{"plan":null}"#),
    ];
    for (index, (actor, activity_type, value, properties)) in rows.into_iter().enumerate() {
        let position = index as i64;
        set.push(position, position, position, actor, activity_type, value, |field| {
            let object = serde_json::from_str(properties).unwrap();
            crate::columns::flatten(object, &mut "properties.".to_owned(), field);
        });
    }
    set
}

fn parse(text: &str) -> Result<Filter, ReportsError> {
    Filter::parse("filter", &[text.to_owned()])
}

/// As [`Filter::resolve`], with actors that are known here.
fn predicate(filter: &Filter) -> Predicate {
    let ordinals: HashMap<&str, u32> = ACTORS.into_iter().zip(0..).collect();
    let actors = |condition: &Condition| match &condition.test {
        Test::Is(values) | Test::IsNot(values) => {
            names(values).iter().filter_map(|name| ordinals.get(&**name).copied()).collect()
        }
        test => ordinals
            .iter()
            .filter(|(name, _)| test.holds(&Scalar::Text((**name).into())))
            .map(|(_, ordinal)| *ordinal)
            .collect(),
    };
    Predicate::new(filter.0.iter().map(|condition| (condition, actors(condition))).collect())
}

/// The numbers of the activities that pass.
fn passing(set: RowSet, filter: &Filter) -> Vec<usize> {
    let mut predicate = predicate(filter);
    let mut needs = Needs::default();
    predicate.add_needs(&mut needs);
    let chunk = Chunk::new(set, &needs);
    let mask = predicate.mask(&chunk.rows(&(0..i64::MAX), &needs, None));
    let mut seen = Vec::new();
    chunk.rows(&(0..i64::MAX), &needs, mask.as_ref()).each(|row| seen.push(row));
    seen
}

#[test]
fn every_operator_lets_pass_what_it_says() {
    for (filter, wanted) in [
        (r#"["is","type","page.viewed"]"#, vec![0, 1]),
        (r#"["is","type","page.viewed","sign.up"]"#, vec![0, 1, 4]),
        (r#"["is_not","type","page.viewed","sign.up"]"#, vec![2, 3]),
        (r#"["contains","type","e"]"#, vec![0, 1, 2, 3]),
        (r#"["starts_with","type","order."]"#, vec![2, 3]),
        (r#"["exists","type"]"#, vec![0, 1, 2, 3, 4]),
        (r#"["is","actor","bob/1","nobody"]"#, vec![1, 4]),
        (r#"["is_not","actor","bob/1","nobody",null]"#, vec![0, 2, 3]),
        (r#"["is","actor",null,"a\u0000b"]"#, vec![]),
        (r#"["contains","actor","b"]"#, vec![1, 4]),
        (r#"["gt","actor",1]"#, vec![]),
        (r#"["exists","actor"]"#, vec![0, 1, 2, 3, 4]),
        (r#"["not_exists","actor"]"#, vec![]),
        (r#"["is","value",9.5]"#, vec![1]),
        (r#"["is","value",9.50,null]"#, vec![0, 1]),
        (r#"["is_not","value",9.5,-3]"#, vec![0, 2, 4]),
        (r#"["is_not","value",9.5,null]"#, vec![2, 3, 4]),
        (r#"["is","value","9.5"]"#, vec![]),
        (r#"["gt","value",9.5]"#, vec![2, 4]),
        (r#"["gte","value",9.5]"#, vec![1, 2, 4]),
        (r#"["lt","value",9.505]"#, vec![1, 3]),
        (r#"["lte","value",-3.0]"#, vec![3]),
        (r#"["lt","value",1e400]"#, vec![1, 2, 3, 4]),
        (r#"["gt","value",-1e-400]"#, vec![1, 2, 4]),
        (r#"["exists","value"]"#, vec![1, 2, 3, 4]),
        (r#"["not_exists","value"]"#, vec![0]),
        (r#"["contains","value","9"]"#, vec![]),
        (r#"["is","properties.plan","1"]"#, vec![1]),
        (r#"["is","properties.plan",1.0]"#, vec![2]),
        (r#"["is","properties.plan",null,"pro"]"#, vec![0, 4]),
        (r#"["is_not","properties.plan","pro"]"#, vec![1, 2, 3, 4]),
        (r#"["is","properties.n",1]"#, vec![0, 1]),
        (r#"["gte","properties.n",10]"#, vec![2]),
        (r#"["exists","properties.plan"]"#, vec![0, 1, 2, 3]),
        (r#"["not_exists","properties.plan"]"#, vec![4]),
        (r#"["is","properties.plan.a\\.b",true]"#, vec![3]),
        (r#"["exists","context.page"]"#, vec![]),
        (r#"["is_not","traits.plan","pro"]"#, vec![0, 1, 2, 3, 4]),
        (r#"["is","traits.plan","pro"]"#, vec![]),
        (r#"[["is","type","order.paid"],["gt","value",0]]"#, vec![2]),
    ] {
        assert_eq!(passing(activities(), &parse(filter).unwrap()), wanted, "{filter}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_named() {
    for (text, message) in [
        ("", "is not JSON"),
        ("type=x", "is not JSON"),
        ("7", "must be a JSON array"),
        ("[]", "at least an operator and a field"),
        (r#"["is"]"#, "at least an operator and a field"),
        (r#"["like","type","x"]"#, "the operator like, which is unknown"),
        (r#"[7,"type","x"]"#, "has 7 where the operator must be"),
        (r#"["is","plan","x"]"#, "has \"plan\" where the field must be"),
        (r#"["is","properties.","x"]"#, "where the field must be"),
        (r#"["is","type"]"#, "has is with 0 values"),
        (r#"["is","type",["x"]]"#, "has is with [\"x\"]: a value is"),
        (r#"["is","value",1e99999999999999999999]"#, "a value is"),
        (r#"["contains","type","a","b"]"#, "has contains with 2 values"),
        (r#"["starts_with","type",7]"#, "it takes a text"),
        (r#"["gt","value","7"]"#, "it takes a number"),
        (r#"["lte","value"]"#, "has lte with 0 values"),
        (r#"["exists","type",1]"#, "it takes none"),
        (r#"[["is","type","x"],7]"#, "has 7 where each item must be a condition"),
    ] {
        match parse(text) {
            Err(ReportsError::Parameter { name: "filter", detail }) => {
                assert!(detail.contains(message), "{text}: {detail}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let many = vec![r#"["exists","value"]"#.to_owned(); super::CONDITIONS_MAX + 1];
    assert!(Filter::parse("filter", &many).is_err());
}

#[test]
fn the_columns_of_a_filter_come_after_those_of_the_report() {
    let filter = parse(r#"[["is","type","x"],["is","properties.plan","y"]]"#).unwrap();
    let mut needs = Needs { fields: vec![Field::parse("properties.plan").unwrap()], ..Needs::default() };
    predicate(&filter).add_needs(&mut needs);
    assert_eq!(needs.fields, [Field::parse("properties.plan").unwrap(), Field::Type]);
}

/// Values of all sizes, close to each other too, as whole columns have them and as they must be kept as doubles.
fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
    let near =
        (-20_i32..20, 0_u32..4).prop_map(|(number, scale)| f64::from(number) / 10_f64.powi(scale as i32));
    let any = prop_oneof![3 => near, 1 => proptest::num::f64::NORMAL, 1 => Just(0.1 + 0.2), 1 => Just(-0.0)];
    prop::collection::vec(prop::option::weighted(0.8, any), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_are_compared_as_decimals(values in values(), pick: prop::sample::Index, shift in -1_i32..2, op in 0_usize..6) {
        let mut set = RowSet::default();
        for (position, value) in values.iter().enumerate() {
            let position = position as i64;
            set.push(position, position, position, 0, "a", *value, |_| {});
        }
        // The number itself, or one that no double holds beside it.
        let picked = pick.get(&values).unwrap_or(0.3);
        let exact = format!("{picked:e}");
        let number = match (shift, exact.split_once('e')) {
            (0, _) | (_, None) => exact,
            (_, Some((digits, power))) => {
                let dot = if digits.contains('.') { "" } else { "." };
                format!("{digits}{dot}000000000000000000000{}e{power}", i32::from(shift > 0))
            }
        };
        let op = ["is", "is_not", "gt", "gte", "lt", "lte"][op];
        let filter = parse(&format!("[\"{op}\",\"value\",{number}]")).unwrap();
        let test = &filter.0[0].test;
        let wanted: Vec<usize> = (0..values.len()).filter(|row| {
            let scalar = values[*row].map_or(Scalar::Absent, |value| {
                Scalar::Number(domain::Decimal::parse(&format!("{value:e}")).unwrap())
            });
            test.holds(&scalar)
        }).collect();
        prop_assert_eq!(passing(set, &filter), wanted, "{} {}", op, number);
    }
}
