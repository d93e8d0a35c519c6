//! What random commands about actors lead to, decided by the aggregates.

use std::collections::BTreeMap;

use cqrs_es::{Aggregate, DomainEvent};
use domain::actor::{Actor, ActorCommand};
use domain::identity::{Identities, IdentityCommand, Merge};
use domain::{EventPayload, Json};

use super::content::NAMES;

/// An event that is to be appended.
pub(super) struct NameEvent {
    pub(super) aggregate_type: &'static str,
    /// What follows the customer and a slash in its id.
    pub(super) stream: String,
    pub(super) sequence: i64,
    pub(super) event_type: String,
    pub(super) payload: String,
}

/// The actors of one customer.
#[derive(Default)]
pub(super) struct Names {
    identities: Identities,
    sequence: i64,
    actors: BTreeMap<&'static str, Actor>,
}

fn name(number: usize) -> &'static str {
    NAMES[number % NAMES.len()]
}

impl Names {
    pub(super) fn merge(&mut self, actor: usize, alias: usize) -> Option<NameEvent> {
        let (actor, alias) = (name(actor).to_owned(), name(alias).to_owned());
        self.decide(IdentityCommand::MergeActors(Merge { actor, alias }))
    }

    pub(super) fn revert(&mut self, which: usize) -> Option<NameEvent> {
        let merged = |alias: &&str| self.identities.merged_into(alias).is_some();
        let aliases: Vec<&str> = NAMES.into_iter().filter(merged).collect();
        let alias = *aliases.get(which.checked_rem(aliases.len())?)?;
        let actor = self.identities.merged_into(alias)?.to_owned();
        self.decide(IdentityCommand::RevertMerge(Merge { actor, alias: alias.to_owned() }))
    }

    fn decide(&mut self, command: IdentityCommand) -> Option<NameEvent> {
        let event = self.identities.decide(command).ok()??;
        self.identities.apply(event.clone());
        self.sequence += 1;
        Some(said(Identities::TYPE, "identities".to_owned(), self.sequence, &event))
    }

    pub(super) fn describe(&mut self, actor: usize, traits: Option<&Json>) -> Option<NameEvent> {
        let name = name(actor);
        let actor = self.actors.entry(name).or_default();
        let command = ActorCommand::DescribeActor { actor: name.to_owned(), traits: traits?.clone() };
        let event = actor.decide(command).ok()??;
        actor.apply(event.clone());
        Some(said(Actor::TYPE, format!("actors/{name}"), actor.sequence as i64, &event))
    }
}

fn said<E: EventPayload + DomainEvent>(
    aggregate_type: &'static str,
    stream: String,
    sequence: i64,
    event: &E,
) -> NameEvent {
    let (event_type, payload) = (event.event_type(), event.encode().unwrap());
    NameEvent { aggregate_type, stream, sequence, event_type, payload }
}
