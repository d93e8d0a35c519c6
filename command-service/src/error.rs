use chassis::{FieldError, Problem};
use domain::activity::{ActivityError, ContentFault};
use domain::actor::ActorError;
use domain::dead_letter::DeadLetterError;
use domain::identity::{CHAIN_ACTORS_MAX, IdentityError};
use event_store::{AppendError, ExecuteError, LogError};
use http::StatusCode;

use crate::identities::IdentitiesError;
use crate::recorder::RecordError;

/// Why a request to activities is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ActivitiesError {
    /// The body does not keep the rules.
    #[error("the body has {} faults", .0.len())]
    Invalid(Vec<FieldError>),
    /// A header cannot be read.
    #[error("the header {0}")]
    InvalidIfMatch(String),
    /// Another activity has this id.
    #[error("the id is that of another activity")]
    IdReused,
    /// The customer has no such activity.
    #[error("no such activity")]
    NotFound,
    /// The customer has no such stream.
    #[error("no such stream")]
    StreamNotFound,
    /// It was redacted.
    #[error("the activity was redacted")]
    Redacted,
    /// The activity has changed since the sequence in `If-Match`.
    #[error("the activity is at another sequence")]
    SequenceMismatch {
        /// Where it stands, if that is known.
        actual: Option<u64>,
    },
    /// The alias is merged into another actor, which is named.
    #[error("the alias is merged into another actor")]
    MergedElsewhere(String),
    /// The merge would close a circle.
    #[error("the actor is merged into the alias already")]
    MergeCircle,
    /// The actor is at the end of too long a chain of merges.
    #[error("the chain of merges is too long")]
    MergeChainTooLong,
    /// The alias is not merged into the actor.
    #[error("the alias is not merged into the actor")]
    NotMerged,
    /// Too much waits already.
    #[error("too much waits already")]
    Overloaded,
    /// The caller is not let in, or not to this; or the body cannot be read.
    #[error("{}", .0.title)]
    Caller(Problem),
    /// The log cannot be read or written now.
    #[error("{0}")]
    Unavailable(String),
    /// Anything that should not happen.
    #[error("{0}")]
    Internal(String),
}

const UNAVAILABLE_RETRY_AFTER_S: u64 = 2;
const OVERLOADED_RETRY_AFTER_S: u64 = 1;

impl From<ActivitiesError> for Problem {
    fn from(error: ActivitiesError) -> Self {
        match error {
            ActivitiesError::Invalid(errors) => Self::invalid(errors),
            ActivitiesError::InvalidIfMatch(shown) => Self::bad_request("invalid-if-match").with_detail(format!(
                "If-Match must be the ETag that GET answers, as \"3\", or *; this is {shown}."
            )),
            ActivitiesError::IdReused => Self::conflict("activity-id-reused").with_detail(
                "An activity with this id and other content is recorded. Use another id, or correct it with PATCH.",
            ),
            ActivitiesError::NotFound => {
                Self::not_found("activity-not-found").with_detail("There is no such activity.")
            }
            ActivitiesError::StreamNotFound => {
                Self::not_found("stream-not-found").with_detail("There is no such stream, or not at that time.")
            }
            ActivitiesError::Redacted => Self::new(StatusCode::GONE, "activity-redacted")
                .with_detail("The activity was redacted; the history keeps that it happened."),
            ActivitiesError::SequenceMismatch { actual } => {
                let now = actual.map_or(String::new(), |actual| format!(" It is at \"{actual}\" now."));
                Self::new(StatusCode::PRECONDITION_FAILED, "sequence-mismatch").with_detail(format!(
                    "The activity has changed since the sequence in If-Match.{now} Read it again, then decide."
                ))
            }
            ActivitiesError::MergedElsewhere(into) => Self::conflict("alias-merged-elsewhere").with_detail(format!(
                "The alias is merged into {into:?}. Revert that merge first, or merge that actor."
            )),
            ActivitiesError::MergeCircle => Self::conflict("merge-circle").with_detail(
                "The actor is merged into the alias already, so the alias cannot be merged into the actor.",
            ),
            ActivitiesError::MergeChainTooLong => {
                Self::conflict("merge-chain-too-long").with_detail(format!(
                    "The actor is merged into another, and that one into a further one, more than {CHAIN_ACTORS_MAX} times. \
                     Merge into one of these."
                ))
            }
            ActivitiesError::NotMerged => Self::not_found("alias-not-found")
                .with_detail("There is no such alias of this actor."),
            ActivitiesError::Overloaded => Self::unavailable("overloaded", OVERLOADED_RETRY_AFTER_S)
                .with_detail("Too much waits to be recorded; nothing of this request was. Send it again."),
            ActivitiesError::Caller(problem) => problem,
            ActivitiesError::Unavailable(cause) => {
                tracing::warn!(%cause, "activities cannot serve a request");
                Self::unavailable("log-unavailable", UNAVAILABLE_RETRY_AFTER_S).with_detail(
                    "The log cannot be read or written at this moment. Send the same again, with the same ids: \
                     nothing is recorded twice.",
                )
            }
            ActivitiesError::Internal(cause) => Self::internal(cause),
        }
    }
}

chassis::returned_as_problem!(ActivitiesError);

impl From<LogError> for ActivitiesError {
    fn from(error: LogError) -> Self {
        error.classified(Self::Unavailable, Self::Internal)
    }
}

impl From<RecordError> for ActivitiesError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Append(error) => error.into(),
            RecordError::Log(error) => error.into(),
            RecordError::Encode(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<AppendError> for ActivitiesError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::QueueFull => Self::Overloaded,
            AppendError::Unavailable(cause) => Self::Unavailable(cause),
            AppendError::Refused(cause) => Self::Internal(cause),
        }
    }
}

impl From<ActivityError> for ActivitiesError {
    fn from(error: ActivityError) -> Self {
        match error {
            ActivityError::NotFound => Self::NotFound,
            ActivityError::Redacted => Self::Redacted,
            ActivityError::SequenceMismatch { actual } => Self::SequenceMismatch { actual: Some(actual) },
            ActivityError::Invalid(faults) => Self::Invalid(field_errors("", faults)),
            // Nothing here records through the aggregate.
            ActivityError::AlreadyRecorded => Self::Internal(error.to_string()),
        }
    }
}

impl From<ExecuteError<DeadLetterError>> for ActivitiesError {
    fn from(error: ExecuteError<DeadLetterError>) -> Self {
        match error {
            ExecuteError::Refused(DeadLetterError::BadReason(detail)) => {
                Self::Invalid(vec![FieldError { pointer: "/reason".to_owned(), detail: detail.to_owned() }])
            }
            ExecuteError::Conflict | ExecuteError::Unavailable(_) => Self::Unavailable(error.to_string()),
            // A dead letter that was discarded already is a success for its caller.
            ExecuteError::Refused(DeadLetterError::AlreadyDiscarded) | ExecuteError::Broken(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}

impl From<IdentitiesError> for ActivitiesError {
    fn from(error: IdentitiesError) -> Self {
        match error {
            IdentitiesError::Actor(ActorError::Invalid(faults))
            | IdentitiesError::Identity(IdentityError::Invalid(faults)) => {
                Self::Invalid(field_errors("", faults))
            }
            IdentitiesError::Identity(IdentityError::MergedElsewhere { into }) => Self::MergedElsewhere(into),
            IdentitiesError::Identity(IdentityError::Circle) => Self::MergeCircle,
            IdentitiesError::Identity(IdentityError::ChainTooLong) => Self::MergeChainTooLong,
            IdentitiesError::Identity(IdentityError::NotMerged) => Self::NotMerged,
            IdentitiesError::Append(error) => error.into(),
            IdentitiesError::Log(error) => error.into(),
            IdentitiesError::Conflict => Self::Unavailable(error.to_string()),
            IdentitiesError::Encode(error) => Self::Internal(error.to_string()),
        }
    }
}

/// The faults of an activity that stands at `at` in the body.
pub(crate) fn field_errors(at: &str, faults: Vec<ContentFault>) -> Vec<FieldError> {
    let error =
        |fault: ContentFault| FieldError { pointer: format!("{at}{}", fault.pointer), detail: fault.detail };
    faults.into_iter().map(error).collect()
}
