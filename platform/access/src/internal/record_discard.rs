use std::time::Duration;

use domain::CustomerId;
use domain::dead_letter::DeadLetterDiscarded;
use serde::{Deserialize, Serialize};

use super::InternalCall;
use crate::Cause;

/// Asks activities, which writes the log, to record that a projection goes on without an event. Recording the same
/// decision again changes nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordDiscard {
    /// The customer in whose history the decision stands.
    pub customer_id: CustomerId,
    /// The decision.
    pub discard: DeadLetterDiscarded,
    /// Who decided, and with which request.
    pub cause: Cause,
}

/// That the decision is in the log.
#[derive(Debug, Serialize, Deserialize)]
pub struct DiscardRecorded {
    /// Whether it was not there before.
    pub is_new: bool,
}

impl InternalCall for RecordDiscard {
    const PATH: &'static str = "/internal/dead-letters/discard";
    const TIMEOUT: Duration = Duration::from_secs(5);
    type Answer = DiscardRecorded;
}
