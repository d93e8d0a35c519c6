use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::Index;

use super::content::scene;
use super::history::{CUSTOMERS, Step, steps};
use super::{holds, questions};
use crate::tests::oracle::calendar::instant;
use crate::tests::oracle::log::Log;
use crate::tests::oracle::question::ReportQuestion;

/// The longest history.
const STEPS_MAX: usize = 60;
/// Questions about each.
const QUESTIONS: usize = 24;

#[derive(Clone, Debug)]
struct Case {
    steps: Vec<Step>,
    questions: Vec<(usize, ReportQuestion, Moment)>,
}

/// The moment that is looked at.
#[derive(Clone, Debug)]
enum Moment {
    Now,
    Position(Index),
    Time(Index),
}

impl Moment {
    /// The question as of then.
    fn of(&self, question: &ReportQuestion, log: &Log) -> ReportQuestion {
        match self {
            Self::Now => question.clone(),
            Self::Position(index) => {
                question.clone().with("as_of", index.index(log.recorded_at.len() + 1).to_string())
            }
            Self::Time(_) if log.recorded_at.is_empty() => question.clone(),
            Self::Time(index) => question.clone().with("as_of", instant(*index.get(&log.recorded_at))),
        }
    }
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        4 => Just(Moment::Now),
        2 => any::<Index>().prop_map(Moment::Position),
        1 => any::<Index>().prop_map(Moment::Time),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let of_scene = |scene: DateTime<Utc>| {
        let question = (0..CUSTOMERS, questions::any(scene), moment());
        (steps(scene, STEPS_MAX), proptest::collection::vec(question, QUESTIONS))
    };
    scene().prop_flat_map(of_scene).prop_map(|(steps, questions)| Case { steps, questions })
}

#[test]
fn every_report_of_every_history_is_what_the_log_says() {
    holds(file!(), &case(), &async |world, case| {
        let folded = world.happen_all(&case.steps).await;
        let logs = world.logs().await;
        for (customer, question, moment) in &case.questions {
            let log = &logs[*customer];
            world.check(*customer, &moment.of(question, log), log, folded).await?;
        }
        Ok(())
    });
}
