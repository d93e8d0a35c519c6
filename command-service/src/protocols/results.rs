use chassis::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::batch::RejectedItem;

/// What became of one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is recorded, now.
    Recorded,
    /// The same was recorded before.
    Duplicate,
    /// It is not recorded, for these reasons.
    Rejected(Vec<FieldError>),
}

/// What became of the messages of a request, in their order, each with its own id if it has one.
#[derive(Debug)]
pub(super) struct Results(pub(super) Vec<(Option<String>, Outcome)>);

/// How many were recorded, and which were not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagesRecorded {
    /// How many are newly recorded.
    accepted: usize,
    /// How many had been recorded before.
    duplicates: usize,
    /// Those that are not recorded, in order.
    rejected: Vec<RejectedItem>,
}

impl Results {
    pub(super) fn rejected(&self) -> Vec<RejectedItem> {
        let item = |(index, (_, outcome)): (usize, &(Option<String>, Outcome))| match outcome {
            Outcome::Rejected(errors) => Some(RejectedItem { index, errors: errors.clone() }),
            Outcome::Recorded | Outcome::Duplicate => None,
        };
        self.0.iter().enumerate().filter_map(item).collect()
    }

    /// Whether there were messages, and none is recorded.
    pub(super) fn is_all_rejected(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(_, outcome)| matches!(outcome, Outcome::Rejected(_)))
    }

    /// Each fault, at its message's place in a list at `list`.
    pub(super) fn faults(&self, list: &str) -> Vec<FieldError> {
        let of = |item: RejectedItem| {
            let at = format!("{list}/{}", item.index);
            item.errors
                .into_iter()
                .map(move |error| FieldError { pointer: format!("{at}{}", error.pointer), ..error })
        };
        self.rejected().into_iter().flat_map(of).collect()
    }

    pub(super) fn count(&self, of: &Outcome) -> usize {
        self.0.iter().filter(|(_, outcome)| outcome == of).count()
    }

    pub(super) fn summary(&self) -> MessagesRecorded {
        MessagesRecorded {
            accepted: self.count(&Outcome::Recorded),
            duplicates: self.count(&Outcome::Duplicate),
            rejected: self.rejected(),
        }
    }
}
