use serde::{Deserialize, Serialize};

use super::event::{DeadLetterDiscarded, DeadLetterEvent};
use crate::CustomerId;
use crate::aggregate::aggregate;

/// A dead letter as it now stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The decision to discard it; none before.
    pub discarded: Option<DeadLetterDiscarded>,
}

/// What an operator can ask of a dead letter. A retry changes nothing that the log knows of, so it is none of these.
#[derive(Clone, Debug)]
pub enum DeadLetterCommand {
    /// Do without it.
    DiscardDeadLetter(DeadLetterDiscarded),
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterError {
    /// It was discarded before.
    #[error("the dead letter was discarded already")]
    AlreadyDiscarded,
    /// The reason does not keep the rules: a phrase for the client.
    #[error("the reason {0}")]
    BadReason(&'static str),
}

impl DeadLetter {
    /// The longest reason, in characters.
    pub const REASON_CHARS_MAX: usize = 500;

    /// The id of a dead letter's stream.
    #[must_use]
    pub fn stream(customer: CustomerId, projection: &str, position: i64) -> String {
        format!("{customer}:{projection}:{position}")
    }

    /// A reason without the space around it, if it keeps the rules.
    ///
    /// # Errors
    /// [`DeadLetterError::BadReason`].
    pub fn check_reason(reason: &str) -> Result<&str, DeadLetterError> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(DeadLetterError::BadReason("must not be empty"));
        }
        if reason.chars().count() > Self::REASON_CHARS_MAX {
            return Err(DeadLetterError::BadReason("must have at most 500 characters"));
        }
        if reason.chars().any(|character| character.is_control() && character != '\n') {
            return Err(DeadLetterError::BadReason("must not contain control characters"));
        }
        Ok(reason)
    }

    /// Decides, without I/O: what a command makes happen.
    ///
    /// # Errors
    /// Why the command is refused.
    pub fn decide(&self, command: DeadLetterCommand) -> Result<Option<DeadLetterEvent>, DeadLetterError> {
        let DeadLetterCommand::DiscardDeadLetter(discard) = command;
        let reason = Self::check_reason(&discard.reason)?.to_owned();
        if self.discarded.is_some() {
            return Err(DeadLetterError::AlreadyDiscarded);
        }
        Ok(Some(DeadLetterEvent::DeadLetterDiscarded(DeadLetterDiscarded { reason, ..discard })))
    }
}

aggregate!(DeadLetter = "dead_letter", DeadLetterCommand, DeadLetterEvent, DeadLetterError);

impl DeadLetter {
    fn evolve(&mut self, event: DeadLetterEvent) {
        let DeadLetterEvent::DeadLetterDiscarded(discarded) = event;
        self.discarded = Some(discarded);
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::{AggregateTestExecutor, TestFramework};

    use super::*;

    fn discard(reason: &str) -> DeadLetterDiscarded {
        DeadLetterDiscarded {
            projection: "feed".into(),
            position: 1_042,
            stream: "0199c0de-0000-7000-8000-000000000001:order-1042-paid".into(),
            event_type: "ActivityRecorded".into(),
            failure: "unknown event type ActivityRecorded of version 3.0.0".into(),
            reason: reason.into(),
        }
    }

    fn discarded() -> DeadLetterEvent {
        DeadLetterEvent::DeadLetterDiscarded(discard("a test of the import"))
    }

    fn given(events: Vec<DeadLetterEvent>) -> AggregateTestExecutor<DeadLetter> {
        TestFramework::<DeadLetter>::with(()).given(events)
    }

    #[test]
    fn a_dead_letter_is_discarded_for_a_reason() {
        given(vec![])
            .when(DeadLetterCommand::DiscardDeadLetter(discard("  a test of the import\n")))
            .then_expect_events(vec![discarded()]);
    }

    #[test]
    fn a_dead_letter_is_discarded_once() {
        given(vec![discarded()])
            .when(DeadLetterCommand::DiscardDeadLetter(discard("again")))
            .then_expect_error(DeadLetterError::AlreadyDiscarded);
    }

    #[test]
    fn nothing_is_discarded_without_a_reason_that_can_be_read() {
        let long = "x".repeat(DeadLetter::REASON_CHARS_MAX + 1);
        for (reason, fault) in [
            ("", "must not be empty"),
            (" \n ", "must not be empty"),
            (long.as_str(), "must have at most 500 characters"),
            ("a\u{0}b", "must not contain control characters"),
        ] {
            given(vec![])
                .when(DeadLetterCommand::DiscardDeadLetter(discard(reason)))
                .then_expect_error(DeadLetterError::BadReason(fault));
        }
        let longest = "ä".repeat(DeadLetter::REASON_CHARS_MAX);
        assert_eq!(DeadLetter::check_reason(&longest), Ok(longest.as_str()));
    }

    #[test]
    fn each_projection_has_a_dead_letter_of_its_own() {
        let stream = |projection| DeadLetter::stream(CustomerId::default(), projection, 7);
        assert_eq!(stream("feed"), "00000000-0000-0000-0000-000000000000:feed:7");
        assert_ne!(stream("feed"), stream("activity"));
    }
}
