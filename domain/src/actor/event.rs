use serde::{Deserialize, Serialize};

use crate::Json;
use crate::decode::event_payload;

/// What can happen to an actor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActorEvent {
    /// Some of its traits were set or unset.
    ActorDescribed(ActorDescribed),
}

event_payload!(ActorEvent { ActorDescribed = "1.0.0" });

/// Carries what was changed and what holds since, so that a reader needs no other event of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorDescribed {
    /// Whom it is about, by the name that activities give.
    pub actor: String,
    /// The traits that were set; one that is null was unset.
    pub changes: Json,
    /// All traits from now on.
    pub traits: Json,
}
