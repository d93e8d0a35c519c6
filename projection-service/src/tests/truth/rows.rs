//! The rows of the read model, and the activities that are read for them, before any report is made of them.

use std::ops::Range;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::content::{KEYS, scene};
use super::history::{CUSTOMERS, Step, steps};
use super::holds;
use super::world::World;
use crate::columns::{Field, Needs, Rows};
use crate::tests::oracle::json::Json;
use crate::tests::oracle::log::Activity;
use crate::tests::oracle::question::ReportQuestion;
use crate::tests::oracle::{answer, path, scalar_text};
use crate::view::{Moment, Scan, StandingRow, View};

/// The longest history.
const STEPS_MAX: usize = 80;
/// Moments that are looked at when everything is folded.
const MOMENTS: usize = 8;
const ALWAYS: Range<i64> = i64::MIN..i64::MAX;

/// Reads every column of every row.
struct Everything;

/// A row, and its actor's ordinal, value and fields.
type Found = (StandingRow, u32, Option<f64>, Vec<String>);

impl Scan for Everything {
    type Partial = Vec<Found>;

    fn begin(&self) -> Self::Partial {
        Vec::new()
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        rows.each(|row| {
            let standing = StandingRow {
                time: rows.times.get(row),
                first_position: rows.first_positions.get(row),
                position: rows.positions.get(row),
            };
            let fields = rows.fields.iter().map(|field| field.value(row).to_text()).collect();
            partial.push((standing, rows.actors[row], rows.values.unwrap().get(row), fields));
        });
    }
}

/// Names of columns: of frequent keys, of keys inside objects, and of some rare ones.
fn fields() -> Vec<String> {
    let frequent =
        ["properties", "context"].into_iter().flat_map(|object| KEYS.map(|key| path(object, &[key])));
    let inside = [path("properties", &["nested", "deep", "er"]), path("context", &["nested", "deep", "x.y"])];
    let rare = (0..6).map(|number| path("properties", &[&format!("rare {number}")]));
    let traits =
        KEYS.map(|key| path("traits", &[key])).into_iter().chain([path("traits", &["nested", "deep", "er"])]);
    std::iter::once("type".to_owned()).chain(frequent).chain(inside).chain(rare).chain(traits).collect()
}

/// One line for each row, by what it says.
async fn lines(view: &View) -> (Vec<String>, Vec<StandingRow>) {
    let fields = fields().iter().map(|name| Field::parse(name).unwrap()).collect();
    let needs = Needs { actors: true, values: true, order: true, fields };
    let (_, partials) = view.scan(ALWAYS, &needs, Everything).await.unwrap();
    let mut found: Vec<Found> = partials.into_iter().flatten().collect();
    found.sort_by_key(|(row, ..)| *row);
    let ordinals: Vec<u32> = found.iter().map(|(_, actor, ..)| *actor).collect();
    let names = view.actor_names(&ordinals).await.unwrap();
    let line = |(row, actor, value, fields): &Found| {
        let value = value.map_or(Json::Null, Json::real);
        let StandingRow { time, first_position, position } = row;
        format!("{time} {first_position} {position} {} {value} {fields:?}", names[actor])
    };
    (found.iter().map(line).collect(), found.iter().map(|(row, ..)| *row).collect())
}

fn expected(activity: &Activity) -> String {
    let fields: Vec<String> = fields().iter().map(|name| scalar_text(activity, name)).collect();
    let value = activity.value.clone().map_or(Json::Null, Json::Number);
    let (time, first) = (activity.occurred_at.timestamp_micros(), activity.position);
    format!("{time} {first} {} {} {value} {fields:?}", activity.last_position, activity.stands_for)
}

/// Looks at a customer now, or at a position that was recorded.
async fn check_moment(world: &mut World<'_>, moment: (usize, Option<Index>)) -> Result<(), TestCaseError> {
    let (customer, index) = moment;
    let log = world.log(customer).await;
    let folded = world.folded().await;
    let moment =
        index.map_or(Moment::Now, |index| Moment::Position(index.index(log.recorded_at.len() + 1) as i64));
    let view = View::open(&world.state, world.customers[customer], moment).await.unwrap();
    let position = match moment {
        Moment::Now => folded,
        Moment::Position(position) => position.min(folded),
    };
    let standing: Vec<String> = log.standing(position, folded).iter().map(expected).collect();
    let (found, rows) = lines(&view).await;
    let question = ReportQuestion::new("/v1/activities", &[("as_of", &position.to_string())]);
    if found != standing {
        let difference = found.iter().zip(&standing).find(|(one, other)| one != other);
        let problem = format!("{difference:?}\n   found: {found:#?}\nexpected: {standing:#?}");
        return Err(world.failure(customer, &question, &problem));
    }
    let mut activities = view.activities(&rows).await.unwrap();
    activities.reverse();
    let items = Json::parse(&serde_json::to_string(&activities).unwrap()).unwrap();
    world.same(customer, &question, &items, answer(&log, &question, folded).field("items"))
}

#[test]
fn every_row_of_every_history_says_what_the_log_says() {
    let moment = (0..CUSTOMERS, proptest::option::weighted(0.7, any::<Index>()));
    let moments = proptest::collection::vec(moment, STEPS_MAX);
    let case = (scene().prop_flat_map(|scene: DateTime<Utc>| steps(scene, STEPS_MAX)), moments);
    holds(file!(), &case, &async |world, (steps, moments)| {
        // Looked at all the time, so that much of it is in memory when it changes.
        for (number, (step, moment)) in steps.iter().zip(&moments).enumerate() {
            world.happen(number, step).await;
            if let Step::Fold { .. } | Step::Maintain(_) = step {
                check_moment(world, *moment).await?;
            }
        }
        world.settle().await;
        for moment in moments.into_iter().take(MOMENTS) {
            check_moment(world, moment).await?;
        }
        Ok(())
    });
}
