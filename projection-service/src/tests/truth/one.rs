use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::cells::{Cell, Kind, cells};
use super::content::scene;
use super::history::{CUSTOMERS, Step, steps};
use super::world::World;
use super::{holds, questions};
use crate::tests::oracle::json::Json;
use crate::tests::oracle::question::ReportQuestion;

/// The longest history.
const STEPS_MAX: usize = 60;
/// Questions about each, and numbers of each answer that are looked behind.
const QUESTIONS: usize = 6;
const CELLS: usize = 4;
/// Of a page of a list, so that lists have several.
const LIMIT: usize = 5;

#[derive(Clone, Debug)]
struct Case {
    steps: Vec<Step>,
    questions: Vec<(usize, ReportQuestion, [Index; CELLS])>,
}

fn case() -> impl Strategy<Value = Case> {
    let of_scene = |scene: DateTime<Utc>| {
        let question = (0..CUSTOMERS, questions::any(scene), any::<[Index; CELLS]>());
        (steps(scene, STEPS_MAX), proptest::collection::vec(question, QUESTIONS))
    };
    scene().prop_flat_map(of_scene).prop_map(|(steps, questions)| Case { steps, questions })
}

/// The number of a cell is what the list of the activities behind it says.
async fn check_cell(
    world: &World<'_>,
    customer: usize,
    question: &ReportQuestion,
    cell: &Cell,
) -> Result<(), TestCaseError> {
    let mut parameters = question.clone();
    // There, it is how many lines the report has.
    let has_limit = question.path == "/v1/reports/top" && question.get("limit").is_some();
    if !has_limit {
        parameters = parameters.with("limit", LIMIT.to_string());
    }
    let explained = parameters.with("explain", cell.explain.clone());
    let behind = world.items(customer, &explained).await?;
    let ids: BTreeSet<&str> = behind.iter().filter_map(|item| item.field("id").text()).collect();
    if ids.len() != behind.len() {
        return Err(world.failure(customer, &explained, "an activity is there twice"));
    }
    let counted = match cell.kind {
        Kind::Activities => behind.len(),
        Kind::Actors => {
            behind.iter().filter_map(|item| item.field("actor").text()).collect::<BTreeSet<_>>().len()
        }
    };
    world.same(customer, &explained, &Json::from(counted), &cell.number)
}

#[test]
fn every_number_is_what_the_activities_behind_it_say() {
    holds(file!(), &case(), &async |world, case| {
        world.happen_all(&case.steps).await;
        for (customer, question, chosen) in &case.questions {
            let body = world.ask(*customer, question).await?;
            let cells = cells(question, &body);
            for index in chosen.iter().filter(|_| !cells.is_empty()) {
                check_cell(world, *customer, question, index.get(&cells)).await?;
            }
        }
        Ok(())
    });
}
