//! A file that is taken out has what the answer has, in every format.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::Field;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::cells::cells;
use super::content::scene;
use super::history::{CUSTOMERS, Step, steps};
use super::world::{ONE_ACTOR, World};
use super::{holds, questions};
use crate::tests::oracle::calendar::instant;
use crate::tests::oracle::json::Json;
use crate::tests::oracle::question::ReportQuestion;

/// The longest history.
const STEPS_MAX: usize = 60;
/// Questions about each.
const QUESTIONS: usize = 8;
/// Names of lists, in the order in which an answer has them.
const LISTS: [&str; 7] = ["items", "series", "days", "cohorts", "steps", "nodes", "links"];
/// With what a spreadsheet would begin a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A row by the names of its columns; what is null or absent is not there.
type Row = BTreeMap<String, Json>;

/// The items of every list of an answer, each with the name of its list.
fn items(body: &Json) -> Vec<(&'static str, &Json)> {
    let lists = LISTS.into_iter().map(|name| (name, body.field(name).items()));
    lists.flat_map(|(name, items)| items.iter().map(move |item| (name, item))).collect()
}

/// The rows of the table of an answer.
fn table(body: &Json) -> Vec<Row> {
    let lists = LISTS.into_iter().filter(|name| matches!(body.field(name), Json::Array(_))).count();
    let row = |(part, item): (&str, &Json)| {
        let mut row = Row::new();
        if lists > 1 {
            row.insert("part".to_owned(), Json::from(part));
        }
        let Json::Object(fields) = item else { panic!("an item is an object") };
        for (name, value) in fields {
            put(&mut row, name, value);
        }
        row
    };
    items(body).into_iter().map(row).collect()
}

fn put(row: &mut Row, name: &str, value: &Json) {
    match value {
        Json::Null => {}
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                put(row, &format!("{name}_{index}"), item);
            }
        }
        value => {
            row.insert(name.to_owned(), value.clone());
        }
    }
}

/// Whether a text stands for a value.
fn says(text: &str, value: &Json) -> bool {
    match value {
        Json::Text(expected) => text == expected,
        value => Json::parse(text).as_ref() == Some(value),
    }
}

fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// What is different in a file of comma-separated values, which knows no difference between nothing and an empty text.
fn different_in_csv(file: &[u8], expected: &[Row]) -> Option<String> {
    let mut reader = csv::Reader::from_reader(file);
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let is_same = |record: &csv::StringRecord, row: &Row| {
        let values = names.iter().zip(record).filter(|(_, text)| !text.is_empty());
        let found: BTreeMap<&str, &str> = values.map(|(name, text)| (name.as_str(), text)).collect();
        let expected: Vec<(String, &Json)> = row
            .iter()
            .filter(|(_, value)| value.text() != Some(""))
            .map(|(name, value)| (harmless(name), value))
            .collect();
        found.len() == expected.len()
            && expected.iter().all(|(name, value)| {
                found.get(name.as_str()).is_some_and(|text| match value {
                    Json::Text(expected) => *text == harmless(expected),
                    value => says(text, value),
                })
            })
    };
    if records.len() != expected.len() {
        return Some(format!("{} rows and {}", records.len(), expected.len()));
    }
    let pairs = records.iter().zip(expected);
    pairs
        .filter(|(record, row)| !is_same(record, row))
        .map(|(record, row)| format!("{names:?} {record:?} and {row:?}"))
        .next()
}

/// Whether a value of a Parquet file stands for a value of JSON.
fn is_field(field: &Field, value: &Json) -> bool {
    match field {
        Field::Bool(found) => *value == Json::Bool(*found),
        Field::Long(found) => says(&found.to_string(), value),
        Field::Double(found) => *value == Json::real(*found),
        Field::TimestampMicros(found) => {
            let time = DateTime::<Utc>::from_timestamp_micros(*found).map(instant);
            time.is_some_and(|time| value.text() == Some(&time))
        }
        Field::Str(found) => says(found, value),
        _ => false,
    }
}

fn different_in_parquet(file: Vec<u8>, expected: &[Row]) -> Option<String> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    // A report without rows has no columns either, and then no rows can be read.
    let rows: Vec<_> = match reader.metadata().file_metadata().num_rows() {
        0 => Vec::new(),
        _ => reader.get_row_iter(None).unwrap().map(Result::unwrap).collect(),
    };
    if rows.len() != expected.len() {
        return Some(format!("{} rows and {}", rows.len(), expected.len()));
    }
    let is_same = |row: &parquet::record::Row, expected: &Row| {
        let found: Vec<_> = row.get_column_iter().filter(|(_, field)| **field != Field::Null).collect();
        found.len() == expected.len()
            && found
                .iter()
                .all(|(name, field)| expected.get(*name).is_some_and(|value| is_field(field, value)))
    };
    let pairs = rows.iter().zip(expected);
    pairs
        .filter(|(row, expected)| !is_same(row, expected))
        .map(|(row, expected)| format!("{row} and {expected:?}"))
        .next()
}

/// Compares the files of an answer with its JSON.
async fn check(
    world: &World<'_>,
    customer: usize,
    question: &ReportQuestion,
    body: &Json,
) -> Result<(), TestCaseError> {
    let expected = table(body);
    let different = |format: &str, difference: Option<String>| match difference {
        None => Ok(()),
        Some(difference) => {
            let question = question.clone().with("format", format);
            Err(world.failure(customer, &question, &difference))
        }
    };
    let csv = world.file(customer, question, "csv").await;
    different("csv", different_in_csv(&csv, &expected))?;
    let parquet = world.file(customer, question, "parquet").await;
    different("parquet", different_in_parquet(parquet, &expected))?;
    let lines = String::from_utf8(world.file(customer, question, "ndjson").await).unwrap();
    let lines = Json::Array(lines.lines().map(|line| Json::parse(line).unwrap()).collect());
    let items = Json::Array(items(body).into_iter().map(|(_, item)| item.clone()).collect());
    different("ndjson", lines.difference(&items))
}

/// What a file of a question has: a list without a limit is taken out whole.
async fn answer(
    world: &World<'_>,
    customer: usize,
    question: &ReportQuestion,
) -> Result<Json, TestCaseError> {
    let is_whole = question.path.ends_with("/activities") || question.get("explain").is_some();
    if is_whole && question.get("limit").is_none() {
        return Ok(Json::object([("items", Json::Array(world.items(customer, question).await?))]));
    }
    world.ask(customer, question).await
}

#[test]
fn a_file_has_what_the_answer_has_in_every_format() {
    let of_scene = |scene: DateTime<Utc>| {
        let question = (0..CUSTOMERS, questions::any(scene), any::<Index>());
        (steps(scene, STEPS_MAX), proptest::collection::vec(question, QUESTIONS))
    };
    let case = scene().prop_flat_map(of_scene);
    holds(file!(), &case, &async |world, (steps, questions): (Vec<Step>, Vec<_>)| {
        world.happen_all(&steps).await;
        // One actor is no table.
        for (customer, question, index) in questions.iter().filter(|(_, one, _)| one.path != ONE_ACTOR) {
            let body = answer(world, *customer, question).await?;
            check(world, *customer, question, &body).await?;
            let cells = cells(question, &body);
            if question.get("limit").is_none() && !cells.is_empty() {
                let explained = question.clone().with("explain", index.get(&cells).explain.clone());
                let behind = answer(world, *customer, &explained).await?;
                check(world, *customer, &explained, &behind).await?;
            }
        }
        Ok(())
    });
}
