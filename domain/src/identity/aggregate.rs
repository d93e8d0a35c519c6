use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{ActorsMerged, IdentityEvent, MergeReverted};
use crate::CustomerId;
use crate::activity::{ContentFault, check_actor};
use crate::aggregate::aggregate;

/// The most actors that a chain of merges may lead through above the actor into which is merged, so that a decision has a limit.
pub const CHAIN_ACTORS_MAX: usize = 64;

/// Which names mean another actor. To decide a command only those are needed that lead from its two names upwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identities {
    /// The actor that each alias was merged into.
    merged: BTreeMap<String, String>,
}

/// Two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Who is meant.
    pub actor: String,
    /// The name that means it.
    pub alias: String,
}

/// What a client can ask.
#[derive(Clone, Debug)]
pub enum IdentityCommand {
    /// Let a name mean an actor.
    MergeActors(Merge),
    /// Let it mean an actor of its own again.
    RevertMerge(Merge),
}

impl IdentityCommand {
    /// The names that it is about.
    #[must_use]
    pub fn merge(&self) -> &Merge {
        match self {
            Self::MergeActors(merge) | Self::RevertMerge(merge) => merge,
        }
    }
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A name breaks a rule; as pointers into `{"actor", "alias"}`.
    #[error("the names break {} rules", .0.len())]
    Invalid(Vec<ContentFault>),
    /// The alias was merged into another actor.
    #[error("the alias is merged into another actor")]
    MergedElsewhere {
        /// That actor.
        into: String,
    },
    /// The actor is, by some merges, the alias.
    #[error("the actor is merged into the alias already")]
    Circle,
    /// The actor is at the end of a chain of merges that is too long.
    #[error("the actor is merged into others through more than {CHAIN_ACTORS_MAX} merges")]
    ChainTooLong,
    /// The alias is not merged into the actor.
    #[error("the alias is not merged into the actor")]
    NotMerged,
}

impl Identities {
    /// The id of the stream with all merges of a customer.
    #[must_use]
    pub fn stream(customer: CustomerId) -> String {
        format!("{customer}/identities")
    }

    /// With these merges, each an alias and the actor that it was merged into.
    #[must_use]
    pub fn of(merged: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { merged: merged.into_iter().collect() }
    }

    /// The actor that a name was merged into, if it was.
    #[must_use]
    pub fn merged_into(&self, name: &str) -> Option<&str> {
        self.merged.get(name).map(String::as_str)
    }

    /// Decides, without I/O: what a command makes happen, if anything.
    ///
    /// # Errors
    /// Why the command is refused.
    pub fn decide(&self, command: IdentityCommand) -> Result<Option<IdentityEvent>, IdentityError> {
        check(command.merge())?;
        match command {
            IdentityCommand::MergeActors(Merge { actor, alias }) => match self.merged_into(&alias) {
                Some(into) if into == actor => Ok(None),
                Some(into) => Err(IdentityError::MergedElsewhere { into: into.to_owned() }),
                None => {
                    self.check_chain(&actor, &alias)?;
                    Ok(Some(IdentityEvent::ActorsMerged(ActorsMerged { actor, alias })))
                }
            },
            IdentityCommand::RevertMerge(Merge { actor, alias }) => {
                if self.merged_into(&alias) != Some(&actor) {
                    return Err(IdentityError::NotMerged);
                }
                Ok(Some(IdentityEvent::MergeReverted(MergeReverted { actor, alias })))
            }
        }
    }

    fn check_chain(&self, actor: &str, alias: &str) -> Result<(), IdentityError> {
        let mut name = actor;
        for _ in 0..=CHAIN_ACTORS_MAX {
            match self.merged_into(name) {
                None => return Ok(()),
                Some(above) if above == alias => return Err(IdentityError::Circle),
                Some(above) => name = above,
            }
        }
        Err(IdentityError::ChainTooLong)
    }
}

fn check(Merge { actor, alias }: &Merge) -> Result<(), IdentityError> {
    let mut faults = Vec::new();
    for (pointer, name) in [("/actor", actor), ("/alias", alias)] {
        if let Err(detail) = check_actor(name) {
            faults.push(ContentFault::new(pointer, detail));
        }
    }
    if actor == alias {
        faults.push(ContentFault::new("/alias", "must be another name than the actor's"));
    }
    if faults.is_empty() { Ok(()) } else { Err(IdentityError::Invalid(faults)) }
}

aggregate!(Identities = "identities", IdentityCommand, IdentityEvent, IdentityError);

impl Identities {
    fn evolve(&mut self, event: IdentityEvent) {
        match event {
            IdentityEvent::ActorsMerged(ActorsMerged { actor, alias }) => {
                self.merged.insert(alias, actor);
            }
            IdentityEvent::MergeReverted(MergeReverted { alias, .. }) => {
                self.merged.remove(&alias);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateTestExecutor, TestFramework};
    use proptest::prelude::*;

    use super::*;

    fn merge(actor: &str, alias: &str) -> IdentityCommand {
        IdentityCommand::MergeActors(Merge { actor: actor.to_owned(), alias: alias.to_owned() })
    }

    fn revert(actor: &str, alias: &str) -> IdentityCommand {
        IdentityCommand::RevertMerge(Merge { actor: actor.to_owned(), alias: alias.to_owned() })
    }

    fn merged(actor: &str, alias: &str) -> IdentityEvent {
        IdentityEvent::ActorsMerged(ActorsMerged { actor: actor.to_owned(), alias: alias.to_owned() })
    }

    fn reverted(actor: &str, alias: &str) -> IdentityEvent {
        IdentityEvent::MergeReverted(MergeReverted { actor: actor.to_owned(), alias: alias.to_owned() })
    }

    fn given(events: Vec<IdentityEvent>) -> AggregateTestExecutor<Identities> {
        TestFramework::<Identities>::with(()).given(events)
    }

    #[test]
    fn a_name_is_merged_once_and_the_same_again_is_nothing_new() {
        given(vec![]).when(merge("ada", "a1")).then_expect_events(vec![merged("ada", "a1")]);
        given(vec![merged("ada", "a1")]).when(merge("ada", "a1")).then_expect_events(vec![]);
        given(vec![merged("ada", "a1")])
            .when(merge("bob", "a1"))
            .then_expect_error(IdentityError::MergedElsewhere { into: "ada".to_owned() });
    }

    #[test]
    fn who_is_merged_may_be_merged_into_and_have_aliases() {
        let chain = || vec![merged("b", "a"), merged("c", "b")];
        given(chain()).when(merge("a", "x")).then_expect_events(vec![merged("a", "x")]);
        given(chain()).when(merge("d", "c")).then_expect_events(vec![merged("d", "c")]);
    }

    #[test]
    fn no_circle_comes_about() {
        given(vec![merged("b", "a")]).when(merge("a", "b")).then_expect_error(IdentityError::Circle);
        given(vec![merged("b", "a"), merged("c", "b")])
            .when(merge("a", "c"))
            .then_expect_error(IdentityError::Circle);
        given(vec![merged("b", "a"), reverted("b", "a")])
            .when(merge("a", "b"))
            .then_expect_events(vec![merged("a", "b")]);
    }

    #[test]
    fn a_chain_has_a_limit() {
        let chain = |actors: usize| {
            (0..actors).map(|n| merged(&format!("a{}", n + 1), &format!("a{n}"))).collect::<Vec<_>>()
        };
        given(chain(CHAIN_ACTORS_MAX)).when(merge("a0", "x")).then_expect_events(vec![merged("a0", "x")]);
        given(chain(CHAIN_ACTORS_MAX + 1))
            .when(merge("a0", "x"))
            .then_expect_error(IdentityError::ChainTooLong);
    }

    #[test]
    fn only_what_is_merged_is_reverted() {
        given(vec![merged("ada", "a1")])
            .when(revert("ada", "a1"))
            .then_expect_events(vec![reverted("ada", "a1")]);
        given(vec![]).when(revert("ada", "a1")).then_expect_error(IdentityError::NotMerged);
        given(vec![merged("bob", "a1")])
            .when(revert("ada", "a1"))
            .then_expect_error(IdentityError::NotMerged);
    }

    #[test]
    fn nobody_is_an_alias_of_its_own_and_names_are_names() {
        let pointers = |actor: &str, alias: &str| match Identities::default().decide(merge(actor, alias)) {
            Err(IdentityError::Invalid(faults)) => {
                faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(pointers("ada", "ada"), ["/alias"]);
        assert_eq!(pointers("", "a\0"), ["/actor", "/alias"]);
        assert_eq!(pointers("ada", &"x".repeat(257)), ["/alias"]);
    }

    proptest! {
        // What is found becomes a test by hand; no files are kept.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_asked_every_chain_ends(commands in prop::collection::vec((0..8u8, 0..8u8, 0..4u8), 0..60)) {
            let mut identities = Identities::default();
            for (actor, alias, kind) in commands {
                let (actor, alias) = (actor.to_string(), alias.to_string());
                let command = if kind == 0 { revert(&actor, &alias) } else { merge(&actor, &alias) };
                if let Ok(Some(event)) = identities.decide(command) {
                    identities.evolve(event);
                }
                for name in identities.merged.keys() {
                    let chain = std::iter::successors(Some(name.as_str()), |name| identities.merged_into(name));
                    prop_assert!(chain.take(9).count() < 9, "{identities:?}");
                }
            }
        }
    }
}
