use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::content::{ActivityContent, ContentFault};
use super::event::{ActivityCorrected, ActivityEvent, ActivityRedacted};
use super::revision::Revision;
use crate::aggregate::aggregate;

/// An activity as it now stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its content; none before it is recorded, and the last one after a redaction.
    pub content: Option<ActivityContent>,
    /// Whether it was redacted.
    pub redacted: bool,
    /// How many events its stream has: what `If-Match` guards.
    pub sequence: u64,
}

/// What a client can ask of an activity.
#[derive(Clone, Debug)]
pub enum ActivityCommand {
    /// Record it; its stream must be new.
    RecordActivity {
        /// Checked content.
        content: ActivityContent,
    },
    /// Correct some of its content.
    CorrectActivity {
        /// What to change.
        revision: Revision,
        /// The sequence that the client last saw.
        expected_sequence: Option<u64>,
        /// The time of receipt, against which times are checked.
        now: DateTime<Utc>,
    },
    /// Take it out of every report.
    RedactActivity {
        /// The sequence that the client last saw.
        expected_sequence: Option<u64>,
    },
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivityError {
    /// Its stream has events already.
    #[error("the activity is recorded already")]
    AlreadyRecorded,
    /// It was never recorded.
    #[error("there is no such activity")]
    NotFound,
    /// It was redacted, and nothing more can happen to it.
    #[error("the activity was redacted")]
    Redacted,
    /// The activity has changed since the sequence that the client expects.
    #[error("the activity is at sequence {actual}")]
    SequenceMismatch {
        /// Where it stands.
        actual: u64,
    },
    /// The corrected content breaks a rule.
    #[error("the corrected content breaks {} rules", .0.len())]
    Invalid(Vec<ContentFault>),
}

impl Activity {
    fn current(&self, expected_sequence: Option<u64>) -> Result<&ActivityContent, ActivityError> {
        let content = self.content.as_ref().ok_or(ActivityError::NotFound)?;
        if self.redacted {
            return Err(ActivityError::Redacted);
        }
        if expected_sequence.is_some_and(|expected| expected != self.sequence) {
            return Err(ActivityError::SequenceMismatch { actual: self.sequence });
        }
        Ok(content)
    }

    /// The activity after the last event of its stream, whose sequence is `sequence`. The event alone says it, for a
    /// correction carries both sides and a redaction what it takes out; so a command costs the same on a stream of any
    /// length.
    #[must_use]
    pub fn after(last: ActivityEvent, sequence: u64) -> Self {
        match last {
            ActivityEvent::ActivityRecorded(content) => {
                Self { content: Some(content), redacted: false, sequence }
            }
            ActivityEvent::ActivityCorrected(corrected) => {
                Self { content: Some(corrected.after), redacted: false, sequence }
            }
            ActivityEvent::ActivityRedacted(redacted) => {
                Self { content: Some(redacted.before), redacted: true, sequence }
            }
        }
    }

    /// Decides, without I/O: what a command makes happen, if anything.
    ///
    /// # Errors
    /// Why the command is refused.
    pub fn decide(&self, command: ActivityCommand) -> Result<Option<ActivityEvent>, ActivityError> {
        match command {
            ActivityCommand::RecordActivity { content } => {
                if self.content.is_some() {
                    return Err(ActivityError::AlreadyRecorded);
                }
                Ok(Some(ActivityEvent::ActivityRecorded(content)))
            }
            ActivityCommand::CorrectActivity { revision, expected_sequence, now } => {
                let before = self.current(expected_sequence)?;
                let after = revision.of(before);
                let mut faults = Vec::new();
                after.check(now, &mut faults);
                // An old time was right when it was recorded; only a new one can be too old.
                if after.occurred_at == before.occurred_at {
                    faults.retain(|fault| fault.pointer != "/occurred_at");
                }
                if !faults.is_empty() {
                    return Err(ActivityError::Invalid(faults));
                }
                let corrected = ActivityCorrected { before: before.clone(), after: after.into_canonical() };
                Ok((corrected.before != corrected.after)
                    .then(|| ActivityEvent::ActivityCorrected(Box::new(corrected))))
            }
            ActivityCommand::RedactActivity { expected_sequence } => {
                let before = self.current(expected_sequence)?.clone();
                Ok(Some(ActivityEvent::ActivityRedacted(ActivityRedacted { before })))
            }
        }
    }
}

aggregate!(Activity = "activity", ActivityCommand, ActivityEvent, ActivityError);

impl Activity {
    fn evolve(&mut self, event: ActivityEvent) {
        self.sequence += 1;
        match event {
            ActivityEvent::ActivityRecorded(content) => self.content = Some(content),
            ActivityEvent::ActivityCorrected(corrected) => self.content = Some(corrected.after),
            ActivityEvent::ActivityRedacted(_) => self.redacted = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use cqrs_es::Aggregate;
    use cqrs_es::test::TestFramework;

    use super::super::OccurredAtSource;
    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
    }

    fn viewed() -> ActivityContent {
        ActivityContent {
            activity_type: "page.viewed".into(),
            actor: "ada".into(),
            occurred_at: now(),
            occurred_at_source: OccurredAtSource::Client,
            value: None,
            properties: None,
            context: None,
        }
    }

    fn recorded() -> ActivityEvent {
        ActivityEvent::ActivityRecorded(viewed())
    }

    fn redacted() -> ActivityEvent {
        ActivityEvent::ActivityRedacted(ActivityRedacted { before: viewed() })
    }

    fn correct(json: &str, expected_sequence: Option<u64>) -> ActivityCommand {
        let revision = serde_json::from_str(json).unwrap();
        ActivityCommand::CorrectActivity { revision, expected_sequence, now: now() }
    }

    fn given(events: Vec<ActivityEvent>) -> cqrs_es::test::AggregateTestExecutor<Activity> {
        TestFramework::<Activity>::with(()).given(events)
    }

    #[test]
    fn a_new_activity_is_recorded() {
        given(vec![])
            .when(ActivityCommand::RecordActivity { content: viewed() })
            .then_expect_events(vec![recorded()]);
    }

    #[test]
    fn an_activity_is_recorded_once() {
        given(vec![recorded()])
            .when(ActivityCommand::RecordActivity { content: viewed() })
            .then_expect_error(ActivityError::AlreadyRecorded);
    }

    #[test]
    fn a_correction_carries_both_sides() {
        let after = ActivityContent { activity_type: "page.left".into(), value: Some(3.5), ..viewed() };
        given(vec![recorded()])
            .when(correct(r#"{"type":"page.left","value":3.5}"#, Some(1)))
            .then_expect_events(vec![ActivityEvent::ActivityCorrected(Box::new(ActivityCorrected {
                before: viewed(),
                after,
            }))]);
    }

    #[test]
    fn a_correction_that_changes_nothing_is_no_event() {
        given(vec![recorded()]).when(correct(r#"{"type":"page.viewed"}"#, None)).then_expect_events(vec![]);
    }

    #[test]
    fn a_correction_must_keep_the_rules() {
        given(vec![recorded()])
            .when(correct(r#"{"type":""}"#, None))
            .then_expect_error(ActivityError::Invalid(vec![ContentFault::new("/type", "must not be empty")]));
    }

    #[test]
    fn a_stale_sequence_is_refused() {
        given(vec![recorded()])
            .when(correct(r#"{"type":"x"}"#, Some(2)))
            .then_expect_error(ActivityError::SequenceMismatch { actual: 1 });
    }

    #[test]
    fn a_correction_of_the_last_digit_of_a_long_number_is_a_correction() {
        let properties = |text: &str| Some(serde_json::from_str::<crate::Json>(text).unwrap());
        let wei = |digits: &str| ActivityContent {
            properties: properties(&format!(r#"{{"wei":{digits}}}"#)),
            ..viewed()
        };
        let recorded = || vec![ActivityEvent::ActivityRecorded(wei("20000000000000000001"))];
        given(recorded())
            .when(correct("{\"properties\":{\n\"wei\": 20000000000000000002\n}}", None))
            .then_expect_events(vec![ActivityEvent::ActivityCorrected(Box::new(ActivityCorrected {
                before: wei("20000000000000000001"),
                after: wei("20000000000000000002"),
            }))]);
        given(recorded())
            .when(correct(r#"{"properties":{"wei":2.0000000000000000001e19}}"#, None))
            .then_expect_events(vec![]);
    }

    #[test]
    fn the_last_event_says_what_all_of_them_fold_to() {
        let corrected = ActivityContent { activity_type: "page.left".into(), ..viewed() };
        let events = [
            recorded(),
            ActivityEvent::ActivityCorrected(Box::new(ActivityCorrected {
                before: viewed(),
                after: corrected.clone(),
            })),
            ActivityEvent::ActivityRedacted(ActivityRedacted { before: corrected }),
        ];
        let mut folded = Activity::default();
        for (event, sequence) in events.into_iter().zip(1..) {
            folded.apply(event.clone());
            assert_eq!(Activity::after(event, sequence), folded);
        }
    }

    #[test]
    fn a_redaction_carries_what_it_takes_out() {
        given(vec![recorded()])
            .when(ActivityCommand::RedactActivity { expected_sequence: Some(1) })
            .then_expect_events(vec![redacted()]);
    }

    #[test]
    fn nothing_happens_to_a_redacted_activity() {
        for command in
            [correct(r#"{"type":"x"}"#, None), ActivityCommand::RedactActivity { expected_sequence: None }]
        {
            given(vec![recorded(), redacted()]).when(command).then_expect_error(ActivityError::Redacted);
        }
    }

    #[test]
    fn what_was_never_recorded_cannot_be_corrected_or_redacted() {
        for command in [correct("{}", None), ActivityCommand::RedactActivity { expected_sequence: None }] {
            given(vec![]).when(command).then_expect_error(ActivityError::NotFound);
        }
    }
}
