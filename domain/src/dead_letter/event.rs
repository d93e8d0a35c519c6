use serde::{Deserialize, Serialize};

use crate::decode::event_payload;

/// What can happen to a dead letter, as far as the log is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeadLetterEvent {
    /// A projection goes on without the event, for good.
    DeadLetterDiscarded(DeadLetterDiscarded),
}

event_payload!(DeadLetterEvent { DeadLetterDiscarded = "1.0.0" });

/// Which event is left out of which projection, why it could not be folded, and why it may be left out. Who said so is in
/// the metadata, as with every event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterDiscarded {
    /// The projection that goes on without it.
    pub projection: String,
    /// Its position, in the partition of its customer.
    pub position: i64,
    /// Its stream.
    pub stream: String,
    /// What kind of event it is.
    pub event_type: String,
    /// Why the projection could not fold it.
    pub failure: String,
    /// Why it was discarded, in the words of who decided.
    pub reason: String,
}
