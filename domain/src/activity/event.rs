use serde::{Deserialize, Serialize};

use super::content::ActivityContent;
use crate::decode::event_payload;

/// What can happen to an activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActivityEvent {
    /// It was recorded: always sequence 1. Version 1.0.0 had no `occurred_at_source`.
    ActivityRecorded(ActivityContent),
    /// Some of its content was corrected.
    ActivityCorrected(Box<ActivityCorrected>),
    /// It was taken out of every report; history keeps that it happened.
    ActivityRedacted(ActivityRedacted),
}

event_payload!(ActivityEvent {
    ActivityRecorded = "2.0.0",
    ActivityCorrected = "1.0.0",
    ActivityRedacted = "1.0.0",
});

/// Carries both sides, so that a fold can move a contribution without looking anything up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityCorrected {
    /// What it said until now.
    pub before: ActivityContent,
    /// What it says from now on.
    pub after: ActivityContent,
}

/// Carries what is taken out, so that a fold can take it out without looking anything up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityRedacted {
    /// What it said until now.
    pub before: ActivityContent,
}
