use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::event::{ActorDescribed, ActorEvent};
use crate::activity::{ContentFault, LIMITS, check_actor};
use crate::aggregate::aggregate;
use crate::{CustomerId, Json};

/// An actor as it is now described.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// Its traits, a JSON object; none before it was first described.
    pub traits: Option<Json>,
    /// How many events its stream has.
    pub sequence: u64,
}

/// What a client can ask of an actor.
#[derive(Clone, Debug)]
pub enum ActorCommand {
    /// Set some of its traits, and unset those that are null.
    DescribeActor {
        /// Its name.
        actor: String,
        /// A JSON object.
        traits: Json,
    },
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorError {
    /// The name or the traits break a rule; as pointers into `{"actor", "traits"}`.
    #[error("the description breaks {} rules", .0.len())]
    Invalid(Vec<ContentFault>),
}

type Traits = BTreeMap<String, Box<RawValue>>;

impl Actor {
    /// The id of an actor's stream. What follows the customer is no colon, so it is the stream of no activity.
    #[must_use]
    pub fn stream(customer: CustomerId, actor: &str) -> String {
        format!("{customer}/actors/{actor}")
    }

    /// The actor after the last event of its stream, which alone says how it is described.
    #[must_use]
    pub fn after(last: ActorEvent, sequence: u64) -> Self {
        let ActorEvent::ActorDescribed(described) = last;
        Self { traits: Some(described.traits), sequence }
    }

    /// Decides, without I/O: what a command makes happen, if anything. Traits are compared by value.
    ///
    /// # Errors
    /// Why the command is refused.
    pub fn decide(&self, command: ActorCommand) -> Result<Option<ActorEvent>, ActorError> {
        let ActorCommand::DescribeActor { actor, traits: changes } = command;
        if let Err(detail) = check_actor(&actor) {
            return Err(ActorError::Invalid(vec![ContentFault::new("/actor", detail)]));
        }
        check_traits(&changes)?;
        let changes = changes.into_canonical();
        let traits = self.changed(&changes).map_err(|error| invalid(&error.to_string()))?;
        check_traits(&traits)?;
        let is_known = self.traits.as_ref().map_or(traits.as_str() == "{}", |before| *before == traits);
        Ok((!is_known).then_some(ActorEvent::ActorDescribed(ActorDescribed { actor, changes, traits })))
    }

    /// The traits after some changes.
    fn changed(&self, changes: &Json) -> Result<Json, serde_json::Error> {
        let read = |json: &Json| serde_json::from_str::<Traits>(json.as_str());
        let mut traits = self.traits.as_ref().map_or_else(|| Ok(Traits::new()), read)?;
        for (name, value) in read(changes)? {
            if value.get() == "null" {
                traits.remove(&name);
            } else {
                traits.insert(name, value);
            }
        }
        to_raw_value(&traits).map(Json)
    }
}

fn check_traits(traits: &Json) -> Result<(), ActorError> {
    let fault = |fault: crate::JsonFault| {
        ActorError::Invalid(vec![ContentFault::new(format!("/traits{}", fault.pointer), fault.detail)])
    };
    traits.check_object(LIMITS).map_err(fault)
}

fn invalid(detail: &str) -> ActorError {
    ActorError::Invalid(vec![ContentFault::new("/traits", detail)])
}

aggregate!(Actor = "actor", ActorCommand, ActorEvent, ActorError);

impl Actor {
    fn evolve(&mut self, event: ActorEvent) {
        *self = Self::after(event, self.sequence + 1);
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateTestExecutor, TestFramework};

    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    fn described(changes: &str, traits: &str) -> ActorEvent {
        let (changes, traits) = (json(changes), json(traits));
        ActorEvent::ActorDescribed(ActorDescribed { actor: "ada".to_owned(), changes, traits })
    }

    fn describe(traits: &str) -> ActorCommand {
        ActorCommand::DescribeActor { actor: "ada".to_owned(), traits: json(traits) }
    }

    fn given(events: Vec<ActorEvent>) -> AggregateTestExecutor<Actor> {
        TestFramework::<Actor>::with(()).given(events)
    }

    #[test]
    fn traits_are_set_and_a_trait_that_is_null_is_unset() {
        given(vec![])
            .when(describe(r#"{"plan":"pro","none":null,"wei":20000000000000000001}"#))
            .then_expect_events(vec![described(
                r#"{"plan":"pro","none":null,"wei":20000000000000000001}"#,
                r#"{"plan":"pro","wei":20000000000000000001}"#,
            )]);
        given(vec![described(r#"{"plan":"pro","seats":3}"#, r#"{"plan":"pro","seats":3}"#)])
            .when(describe(r#"{"plan":null,"name":{"first":null}}"#))
            .then_expect_events(vec![described(
                r#"{"plan":null,"name":{"first":null}}"#,
                r#"{"name":{"first":null},"seats":3}"#,
            )]);
    }

    #[test]
    fn what_is_known_already_is_no_event() {
        let known = || given(vec![described(r#"{"seats":3}"#, r#"{"seats":3}"#)]);
        for same in [r#"{"seats":3.0}"#, r#"{"seats":3,"other":null}"#, "{}"] {
            known().when(describe(same)).then_expect_events(vec![]);
        }
        given(vec![]).when(describe(r#"{"other":null}"#)).then_expect_events(vec![]);
    }

    #[test]
    fn traits_have_the_limits_of_properties_also_all_together() {
        let invalid = |command: ActorCommand, actor: &Actor| match actor.decide(command) {
            Err(ActorError::Invalid(faults)) => faults[0].pointer.clone(),
            Ok(event) => format!("{event:?}"),
        };
        let new = Actor::default();
        assert_eq!(invalid(describe("[]"), &new), "/traits");
        assert!(invalid(describe(r#"{"a":[[[[[[[[1]]]]]]]]}"#), &new).starts_with("/traits"));
        let half = |key: &str| format!(r#"{{"{key}":"{}"}}"#, "x".repeat(20_000));
        let actor = Actor { traits: Some(json(&half("one"))), sequence: 1 };
        assert!(new.decide(describe(&half("two"))).is_ok());
        assert_eq!(invalid(describe(&half("two")), &actor), "/traits");
        let nameless = ActorCommand::DescribeActor { actor: String::new(), traits: json("{}") };
        assert_eq!(invalid(nameless, &new), "/actor");
    }

    #[test]
    fn the_stream_of_an_actor_is_that_of_no_activity() {
        let stream = Actor::stream(CustomerId::default(), "ada");
        assert_eq!(stream, "00000000-0000-0000-0000-000000000000/actors/ada");
    }
}
