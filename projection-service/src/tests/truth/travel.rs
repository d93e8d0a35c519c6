use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::content::scene;
use super::history::{CUSTOMERS, Step, steps};
use super::world::World;
use super::{holds, questions};
use crate::tests::oracle::json::Json;
use crate::tests::oracle::question::ReportQuestion;

/// The longest history.
const STEPS_MAX: usize = 60;
/// Different questions, of which one is asked after each fold.
const QUESTIONS: usize = 6;

#[derive(Clone, Debug)]
struct Case {
    steps: Vec<(Step, Index)>,
    questions: Vec<(usize, ReportQuestion)>,
}

fn case() -> impl Strategy<Value = Case> {
    let of_scene = |scene: DateTime<Utc>| {
        let questions = proptest::collection::vec((0..CUSTOMERS, questions::any(scene)), QUESTIONS);
        let asked = proptest::collection::vec(any::<Index>(), STEPS_MAX);
        // What is discarded, or folded after all, mends the past.
        let steps = steps(scene, STEPS_MAX).prop_map(|steps| {
            steps.into_iter().filter(|step| !matches!(step, Step::Discard { .. })).collect::<Vec<_>>()
        });
        (steps, asked, questions)
    };
    scene().prop_flat_map(of_scene).prop_map(|(steps, asked, questions)| Case {
        steps: steps.into_iter().zip(asked).collect(),
        questions,
    })
}

/// What was answered while the history was written.
struct Answered {
    customer: usize,
    question: ReportQuestion,
    body: Json,
}

impl Answered {
    /// The same question, to be asked later.
    async fn again(&self, world: &World<'_>, as_of: String) -> Result<(), TestCaseError> {
        let question = self.question.clone().with("as_of", as_of);
        let now = world.ask(self.customer, &question).await?;
        world.same(self.customer, &question, &now, &self.body)
    }
}

async fn answer_all(world: &mut World<'_>, case: &Case) -> Result<Vec<Answered>, TestCaseError> {
    let mut answered = Vec::new();
    for (number, (step, asked)) in case.steps.iter().enumerate() {
        world.happen(number, step).await;
        if matches!(step, Step::Fold { .. }) {
            let (customer, question) = asked.get(&case.questions);
            let body = world.ask(*customer, question).await?;
            world.story.push(format!("customer {customer} asks {}", question.uri()));
            remember(&mut answered, *customer, question, body);
        }
    }
    world.settle().await;
    for (customer, question) in &case.questions {
        let body = world.ask(*customer, question).await?;
        remember(&mut answered, *customer, question, body);
    }
    Ok(answered)
}

/// A response 404 has no `as_of`, so it is not remembered.
fn remember(answered: &mut Vec<Answered>, customer: usize, question: &ReportQuestion, body: Json) {
    if body != Json::Null {
        answered.push(Answered { customer, question: question.clone(), body });
    }
}

async fn ask_all_again(world: &mut World<'_>, answered: &[Answered]) -> Result<(), TestCaseError> {
    let logs = world.logs().await;
    for one in answered {
        let as_of = one.body.field("as_of");
        let position = as_of.field("position").to_string();
        if let Some(time) = as_of.field("time").text() {
            // Events of one commit have one time, and a time is after all of them.
            if logs[one.customer].position_at(time.parse().unwrap()).to_string() == position {
                one.again(world, time.to_owned()).await?;
            }
        }
        one.again(world, position).await?;
    }
    Ok(())
}

#[test]
fn what_was_answered_once_is_answered_again_as_of_then() {
    holds(file!(), &case(), &async |world, case| {
        let answered = answer_all(world, &case).await?;
        ask_all_again(world, &answered).await?;
        world.restart().await;
        ask_all_again(world, &answered).await
    });
}
