use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::activity::{ActivityContent, ActivityEvent};
use domain::actor::ActorEvent;
use domain::dead_letter::DeadLetterEvent;
use domain::identity::IdentityEvent;
use domain::{ActivityId, CustomerId};
use event_store::RecordedEvent;

use super::identities::{Change, Identities};
use super::json::Json;
use super::number::Number;

/// What one event did to its stream.
#[derive(Clone, Debug)]
pub(in crate::tests) enum What {
    Recorded(ActivityContent),
    Corrected(ActivityContent),
    Redacted,
    /// An event that cannot be folded.
    Unknown,
}

/// One event of one customer.
#[derive(Clone, Debug)]
pub(in crate::tests) struct Event {
    pub(in crate::tests) partition: u16,
    pub(in crate::tests) position: i64,
    pub(in crate::tests) sequence: i64,
    pub(in crate::tests) recorded_at: DateTime<Utc>,
    pub(in crate::tests) activity_id: String,
    pub(in crate::tests) what: What,
}

/// Every event of one customer, and what was discarded of it.
#[derive(Clone, Debug, Default)]
pub(in crate::tests) struct Log {
    pub(in crate::tests) customer: CustomerId,
    pub(in crate::tests) events: Vec<Event>,
    /// What was said about actors, in order.
    pub(in crate::tests) changes: Vec<(i64, Change)>,
    /// For each discarded position: the position of the event that discarded it.
    pub(in crate::tests) discards: Vec<(i64, i64)>,
    /// When each position of the partition was recorded, of any customer; the first is position 1.
    pub(in crate::tests) recorded_at: Vec<DateTime<Utc>>,
}

/// The state of an activity at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tests) struct Activity {
    pub(in crate::tests) id: String,
    /// Its type.
    pub(in crate::tests) kind: String,
    /// By the name that it was recorded with.
    pub(in crate::tests) actor: String,
    /// The name of the actor whom that means.
    pub(in crate::tests) stands_for: String,
    /// Every name that means this actor.
    pub(in crate::tests) names: Vec<String>,
    pub(in crate::tests) traits: Json,
    pub(in crate::tests) occurred_at: DateTime<Utc>,
    pub(in crate::tests) value: Option<Number>,
    pub(in crate::tests) properties: Json,
    pub(in crate::tests) context: Json,
    /// The position of the event that first recorded it.
    pub(in crate::tests) partition: u16,
    pub(in crate::tests) position: i64,
    pub(in crate::tests) recorded_at: DateTime<Utc>,
    /// The position of the event that made this state.
    pub(in crate::tests) sequence: i64,
    pub(in crate::tests) last_position: i64,
}

impl Log {
    /// What is of a customer in a partition that was read from its beginning.
    pub(in crate::tests) fn read(customer: CustomerId, recorded: &[RecordedEvent]) -> Self {
        let of_activities = recorded
            .iter()
            .filter(|event| event.customer_id == customer && event.aggregate_type == "activity");
        let event = |recorded: &RecordedEvent| Event {
            partition: recorded.partition.0,
            position: recorded.position,
            sequence: recorded.sequence,
            recorded_at: recorded.recorded_at,
            activity_id: ActivityId::of_stream(&recorded.aggregate_id).unwrap().to_owned(),
            what: match recorded.decode() {
                Ok(ActivityEvent::ActivityRecorded(content)) => What::Recorded(content),
                Ok(ActivityEvent::ActivityCorrected(corrected)) => What::Corrected(corrected.after),
                Ok(ActivityEvent::ActivityRedacted(_)) => What::Redacted,
                Err(_) => What::Unknown,
            },
        };
        let change = |recorded: &RecordedEvent| {
            let text = |json: &domain::Json| Json::parse(json.as_str()).unwrap();
            let change = match recorded.aggregate_type.as_str() {
                "actor" => {
                    let ActorEvent::ActorDescribed(described) = recorded.decode().unwrap();
                    Change::Described { actor: described.actor, traits: text(&described.traits) }
                }
                "identities" => match recorded.decode().unwrap() {
                    IdentityEvent::ActorsMerged(merged) => {
                        Change::Merged { alias: merged.alias, actor: merged.actor }
                    }
                    IdentityEvent::MergeReverted(reverted) => Change::Reverted { alias: reverted.alias },
                },
                _ => return None,
            };
            Some((recorded.position, change))
        };
        let own = recorded.iter().filter(|event| event.customer_id == customer);
        let discard = |recorded: &RecordedEvent| match recorded.decode() {
            Ok(DeadLetterEvent::DeadLetterDiscarded(discarded)) => {
                Some((recorded.position, discarded.position))
            }
            Err(_) => None,
        };
        Self {
            customer,
            events: of_activities.map(event).collect(),
            changes: own.filter_map(change).collect(),
            discards: recorded.iter().filter_map(discard).collect(),
            recorded_at: recorded.iter().map(|event| event.recorded_at).collect(),
        }
    }

    /// The last position that had been recorded at a time; 0 if none had.
    pub(in crate::tests) fn position_at(&self, time: DateTime<Utc>) -> i64 {
        self.recorded_at.iter().filter(|recorded_at| **recorded_at <= time).count() as i64
    }

    /// Which names mean one actor, and what is known of each, up to a position.
    pub(in crate::tests) fn identities(&self, as_of: i64) -> Identities {
        Identities::of(self.changes.iter().filter(|(position, _)| *position <= as_of))
    }

    /// Every activity as it stood when the partition had been recorded up to a position, in the order of time and position.
    /// What was discarded is nowhere, and was nowhere before: of that, everything counts up to the position `folded`.
    pub(in crate::tests) fn standing(&self, as_of: i64, folded: i64) -> Vec<Activity> {
        let discarded: BTreeSet<i64> =
            self.discards.iter().filter(|(at, _)| *at <= folded).map(|(_, position)| *position).collect();
        let mut streams: BTreeMap<&str, Stream> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.position <= as_of) {
            if !discarded.contains(&event.position) {
                streams.entry(&event.activity_id).or_default().apply(event);
            }
        }
        let mut standing: Vec<Activity> =
            streams.into_values().filter_map(|stream| stream.activity).collect();
        let identities = self.identities(as_of);
        for activity in &mut standing {
            activity.stands_for = identities.actor(&activity.actor);
            activity.names = identities.names(&activity.stands_for);
            activity.traits = identities.traits(&activity.stands_for);
        }
        standing.sort_by_key(|activity| (activity.occurred_at, activity.position));
        standing
    }
}

#[derive(Default)]
struct Stream {
    activity: Option<Activity>,
    /// An event could not be folded, and what comes later waits behind it.
    is_stuck: bool,
}

impl Stream {
    fn apply(&mut self, event: &Event) {
        if self.is_stuck {
            return;
        }
        match (&event.what, self.activity.take()) {
            (What::Recorded(content), None) => self.activity = Some(activity(event, event, content)),
            (What::Corrected(content), Some(standing)) => {
                let first = Event {
                    partition: standing.partition,
                    position: standing.position,
                    recorded_at: standing.recorded_at,
                    ..event.clone()
                };
                self.activity = Some(activity(&first, event, content));
            }
            (What::Redacted, Some(_)) => {}
            (_, standing) => {
                self.activity = standing;
                self.is_stuck = true;
            }
        }
    }
}

fn activity(first: &Event, last: &Event, content: &ActivityContent) -> Activity {
    let json = |json: &Option<domain::Json>| json.as_ref().map_or(Json::Null, |json| Json::of_raw(&json.0));
    Activity {
        id: first.activity_id.clone(),
        kind: content.activity_type.clone(),
        actor: content.actor.clone(),
        stands_for: content.actor.clone(),
        names: vec![content.actor.clone()],
        traits: Json::Null,
        occurred_at: content.occurred_at,
        value: content.value.map(Number::of),
        properties: json(&content.properties),
        context: json(&content.context),
        partition: first.partition,
        position: first.position,
        recorded_at: first.recorded_at,
        sequence: last.sequence,
        last_position: last.position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::house::{at, content};

    fn log(events: &[(&str, What)]) -> Log {
        let event = |(index, (id, what)): (usize, &(&str, What))| Event {
            partition: 0,
            position: index as i64 + 1,
            sequence: 1,
            recorded_at: at("2026-03-01T00:00:00Z"),
            activity_id: (*id).to_owned(),
            what: what.clone(),
        };
        Log { events: events.iter().enumerate().map(event).collect(), ..Log::default() }
    }

    fn said(kind: &str) -> ActivityContent {
        content(kind, "ada", "2026-03-01T10:00:00Z")
    }

    fn stands(log: &Log, as_of: i64) -> Vec<String> {
        log.standing(as_of, 4)
            .into_iter()
            .map(|one| format!("{}={}@{}", one.id, one.kind, one.position))
            .collect()
    }

    #[test]
    fn an_activity_is_the_last_state_of_its_stream_at_the_moment_looked_at() {
        let log = log(&[
            ("a", What::Recorded(said("x"))),
            ("b", What::Recorded(said("x"))),
            ("a", What::Corrected(said("y"))),
            ("b", What::Redacted),
        ]);
        assert_eq!(stands(&log, 1), ["a=x@1"]);
        assert_eq!(stands(&log, 2), ["a=x@1", "b=x@2"]);
        assert_eq!(stands(&log, 3), ["a=y@1", "b=x@2"]);
        assert_eq!(stands(&log, 4), ["a=y@1"]);
    }

    #[test]
    fn what_waits_behind_a_dead_letter_is_not_there_until_that_is_discarded() {
        let mut log = log(&[
            ("a", What::Recorded(said("x"))),
            ("a", What::Unknown),
            ("a", What::Corrected(said("y"))),
            ("ghost", What::Redacted),
        ]);
        assert_eq!(stands(&log, 4), ["a=x@1"]);
        log.discards.push((5, 2));
        assert_eq!(stands(&log, 4), ["a=x@1"], "nobody has folded that yet");
        log.discards.push((4, 2));
        assert_eq!(stands(&log, 4), ["a=y@1"]);
    }
}
