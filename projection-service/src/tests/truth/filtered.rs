//! Filtered history with what the read model knows, however far the fold is behind, is what a look at every event finds.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_store::{History, HistoryFilter, HistoryQuery, RecordedEvent};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use super::content::{NAMES, TYPES, scene};
use super::history::{CUSTOMERS, steps};
use super::holds;
use super::world::World;
use crate::tests::oracle::question::ReportQuestion;
use crate::view::PositionFinder;

/// The longest history.
const STEPS_MAX: usize = 60;
/// Filters that are tried when everything is folded.
const AT_THE_END: usize = 8;

#[derive(Clone, Debug)]
struct HistoryQuestion {
    customer: usize,
    actor: Option<&'static str>,
    activity_type: Option<&'static str>,
    since: Option<Index>,
    until: Option<Index>,
    limit: usize,
}

fn history_question() -> impl Strategy<Value = HistoryQuestion> {
    let actor = prop_oneof![6 => select(&NAMES[..]), 1 => Just("nobody")];
    let kind = prop_oneof![6 => select(&TYPES[..]), 1 => Just("nothing")];
    let what = prop_oneof![
        2 => actor.clone().prop_map(|actor| (Some(actor), None)),
        2 => kind.clone().prop_map(|kind| (None, Some(kind))),
        1 => (actor, kind).prop_map(|(actor, kind)| (Some(actor), Some(kind))),
    ];
    let time = || proptest::option::weighted(0.2, any::<Index>());
    (0..CUSTOMERS, what, time(), time(), 1..6_usize).prop_map(|(customer, what, since, until, limit)| {
        HistoryQuestion { customer, actor: what.0, activity_type: what.1, since, until, limit }
    })
}

impl HistoryQuestion {
    /// As the service reads it; times are those of events.
    fn filter(&self, world: &World<'_>, events: &[RecordedEvent]) -> HistoryFilter {
        let time = |index: &Option<Index>| -> Option<DateTime<Utc>> {
            index.as_ref().filter(|_| !events.is_empty()).map(|index| index.get(events).recorded_at)
        };
        HistoryFilter {
            customer_id: Some(world.customers[self.customer]),
            to: None,
            since: time(&self.since),
            until: time(&self.until),
            actor: self.actor.map(str::to_owned),
            activity_type: self.activity_type.map(str::to_owned),
        }
    }
}

/// What the definition says of one event, which has one payload or what was before and after.
fn is_asked_for(event: &RecordedEvent, filter: &HistoryFilter) -> bool {
    let payload: Value = serde_json::from_str(event.payload.as_str()).unwrap();
    let said = |side: &str, field: &str| payload.pointer(&format!("{side}/{field}")).and_then(Value::as_str);
    // A merge is about two.
    let actors = [said("", "actor").or(said("/before", "actor")), said("", "alias")];
    let types = ["", "/before", "/after"].map(|side| said(side, "type"));
    filter.customer_id == Some(event.customer_id)
        && filter.since.is_none_or(|since| event.recorded_at >= since)
        && filter.until.is_none_or(|until| event.recorded_at < until)
        && filter.actor.as_deref().is_none_or(|wanted| actors.contains(&Some(wanted)))
        && filter.activity_type.as_deref().is_none_or(|wanted| types.contains(&Some(wanted)))
}

/// Positions on every page, one after the other.
async fn pages(history: &History, world: &World<'_>, filter: &HistoryFilter, limit: usize) -> Vec<i64> {
    let mut query = HistoryQuery {
        partition: world.partition(),
        after: 0,
        limit,
        bytes_max: usize::MAX,
        filter: filter.clone(),
    };
    let mut positions = Vec::new();
    loop {
        let page = history.page(&query).await.unwrap();
        assert!(page.events.len() <= limit, "a page of {limit} has {}", page.events.len());
        positions.extend(page.events.iter().map(|event| event.position));
        let Some(next) = page.next else { return positions };
        assert!(next > query.after, "a page comes no further than {next}");
        query.after = next;
    }
}

async fn check(world: &mut World<'_>, asked: &HistoryQuestion) -> Result<(), TestCaseError> {
    world.store().await;
    let events = world.events().await.to_vec();
    let filter = asked.filter(world, &events);
    let expected: Vec<i64> =
        events.iter().filter(|event| is_asked_for(event, &filter)).map(|event| event.position).collect();
    let history = History::of(world.house.log.clone());
    let index = Arc::new(PositionFinder::of(&world.state));
    let found = pages(&history.with_index(index).asking_at_once(), world, &filter, asked.limit).await;
    if found == expected {
        return Ok(());
    }
    let question = ReportQuestion::new("/v1/history", &[("filter", &format!("{filter:?}"))]);
    let problem = format!("{found:?} and {expected:?}, folded up to {}", world.folded().await);
    Err(world.failure(asked.customer, &question, &problem))
}

#[test]
fn filtered_history_is_complete_however_much_of_it_the_read_model_knows() {
    let filters = proptest::collection::vec(history_question(), STEPS_MAX);
    let case = (scene().prop_flat_map(|scene: DateTime<Utc>| steps(scene, STEPS_MAX)), filters);
    holds(file!(), &case, &async |world, (steps, filters)| {
        for (number, (step, asked)) in steps.iter().zip(&filters).enumerate() {
            world.happen(number, step).await;
            check(world, asked).await?;
        }
        world.settle().await;
        for asked in filters.iter().take(AT_THE_END) {
            check(world, asked).await?;
        }
        Ok(())
    });
}
