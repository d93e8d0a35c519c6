//! Random histories, and how they come about: recorded, folded in any pieces, and kept in any form.

use chrono::{DateTime, Utc};
use domain::Json;
use domain::activity::ActivityContent;
use proptest::prelude::*;

use super::content::{content, object};
use crate::store::Sizes;

/// Two customers of one partition.
pub(super) const CUSTOMERS: usize = 2;

/// What may happen; numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Several at a time, so that there is much in a history that is short.
    Record {
        customer: usize,
        contents: Vec<ActivityContent>,
    },
    Correct {
        customer: usize,
        which: usize,
        changes: Changes,
    },
    Redact {
        customer: usize,
        which: usize,
    },
    /// An event that nothing can fold, of an activity that stands or of a new one.
    Unknown {
        customer: usize,
        which: usize,
        is_new: bool,
    },
    /// A redaction or correction of what was never recorded.
    Ghost {
        customer: usize,
        content: ActivityContent,
    },
    /// A name is to mean an actor; numbers choose among the names that there are.
    Merge {
        customer: usize,
        actor: usize,
        alias: usize,
    },
    /// A merge is reverted.
    Revert {
        customer: usize,
        which: usize,
    },
    /// Something becomes known of an actor.
    Describe {
        customer: usize,
        actor: usize,
        traits: Option<Json>,
    },
    /// Somebody decides to go on without an event that cannot be folded.
    Discard {
        customer: usize,
        which: usize,
    },
    /// Fold some pages of a size, and keep the rows in chunks of these sizes from now on.
    Fold {
        page: usize,
        pages: usize,
        sizes: Sizes,
    },
    Maintain(Maintenance),
}

/// What may be done to a read model without changing what it says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Maintenance {
    Merge,
    Restart,
}

/// What a correction changes.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    content: ActivityContent,
    is_changed: [bool; 6],
}

impl Changes {
    pub(super) fn apply(&self, content: &mut ActivityContent) {
        let new = self.content.clone();
        let [changes_type, changes_actor, changes_time, changes_value, changes_properties, changes_context] =
            self.is_changed;
        if changes_type {
            content.activity_type = new.activity_type;
        }
        if changes_actor {
            content.actor = new.actor;
        }
        if changes_time {
            content.occurred_at = new.occurred_at;
        }
        if changes_value {
            content.value = new.value;
        }
        if changes_properties {
            content.properties = new.properties;
        }
        if changes_context {
            content.context = new.context;
        }
    }
}

/// Small enough that a short history has everything: small and large deltas, segments, merged ones, ends of every kind.
fn sizes() -> impl Strategy<Value = Sizes> {
    (1..20usize, 2..4i32, 2..4usize, 1..6i64).prop_map(|(segment_rows, deltas, runs, ends)| Sizes {
        segment_rows,
        deltas,
        runs,
        ends,
    })
}

/// Activities that are recorded in one step.
const RECORDED_MAX: usize = 8;

fn step(scene: DateTime<Utc>) -> BoxedStrategy<Step> {
    let who = 0..CUSTOMERS;
    let changes = (content(scene), any::<[bool; 6]>())
        .prop_map(|(content, is_changed)| Changes { content, is_changed });
    let maintenance = prop_oneof![5 => Just(Maintenance::Merge), 1 => Just(Maintenance::Restart)];
    prop_oneof![
        20 => (who.clone(), proptest::collection::vec(content(scene), 1..RECORDED_MAX))
            .prop_map(|(customer, contents)| Step::Record { customer, contents }),
        6 => (who.clone(), any::<usize>(), changes)
            .prop_map(|(customer, which, changes)| Step::Correct { customer, which, changes }),
        3 => (who.clone(), any::<usize>()).prop_map(|(customer, which)| Step::Redact { customer, which }),
        1 => (who.clone(), any::<usize>(), any::<bool>())
            .prop_map(|(customer, which, is_new)| Step::Unknown { customer, which, is_new }),
        1 => (who.clone(), content(scene)).prop_map(|(customer, content)| Step::Ghost { customer, content }),
        4 => (who.clone(), any::<usize>(), any::<usize>())
            .prop_map(|(customer, actor, alias)| Step::Merge { customer, actor, alias }),
        2 => (who.clone(), any::<usize>()).prop_map(|(customer, which)| Step::Revert { customer, which }),
        4 => (who.clone(), any::<usize>(), object())
            .prop_map(|(customer, actor, traits)| Step::Describe { customer, actor, traits }),
        1 => (who, any::<usize>()).prop_map(|(customer, which)| Step::Discard { customer, which }),
        4 => (1..20usize, 1..4usize, sizes())
            .prop_map(|(page, pages, sizes)| Step::Fold { page, pages, sizes }),
        3 => maintenance.prop_map(Step::Maintain),
    ]
    .boxed()
}

pub(super) fn steps(scene: DateTime<Utc>, max: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(scene), 1..max)
}
