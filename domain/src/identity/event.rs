use serde::{Deserialize, Serialize};

use crate::decode::event_payload;

/// What can happen to the identities of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityEvent {
    /// A name means another actor from now on, also in what was done before.
    ActorsMerged(ActorsMerged),
    /// It means an actor of its own again.
    MergeReverted(MergeReverted),
}

event_payload!(IdentityEvent { ActorsMerged = "1.0.0", MergeReverted = "1.0.0" });

/// Whose name means whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorsMerged {
    /// Who is meant. It may be an alias of another actor itself.
    pub actor: String,
    /// The name that means it.
    pub alias: String,
}

/// Whose name means no longer whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeReverted {
    /// Who was meant.
    pub actor: String,
    /// The name that meant it.
    pub alias: String,
}
