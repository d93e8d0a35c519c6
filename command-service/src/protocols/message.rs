use chassis::FieldError;
use chrono::{DateTime, Utc};
use domain::activity::{ContentFault, Pending};
use serde_json::value::RawValue;

use super::clock::{Clock, read_time};

/// The messages of a body.
#[derive(Default)]
pub(super) struct Messages {
    /// The token, where the protocol has it in the body.
    pub(super) key: Option<String>,
    /// In the order of the body.
    pub(super) items: Vec<Message>,
}

/// One message, as an activity that is not yet checked.
pub(super) struct Message {
    /// The client's own id, if it can be read.
    pub(super) id: Option<String>,
    /// What it says, or each fault.
    pub(super) draft: Result<Draft, Vec<FieldError>>,
}

/// An activity that is not yet checked.
pub(super) struct Draft {
    pub(super) pending: Pending,
    /// Whether the time was corrected, so that it differs when the message is sent again.
    pub(super) is_time_estimated: bool,
}

impl Message {
    pub(super) fn rejected(id: Option<String>, errors: Vec<FieldError>) -> Self {
        Self { id, draft: Err(errors) }
    }

    pub(super) fn draft(draft: Draft) -> Self {
        Self { id: draft.pending.id.clone(), draft: Ok(draft) }
    }
}

impl Draft {
    /// What an activity has at least, by a client whose clock may be wrong.
    ///
    /// # Errors
    /// A fault of `time`, which stands at this pointer.
    pub(super) fn new(
        activity_type: String,
        actor: String,
        time: (&str, Option<&RawValue>),
        clock: Clock,
    ) -> Result<Self, FieldError> {
        let (pointer, time) = time;
        Ok(Self::at(activity_type, actor, read_time(time).map_err(|detail| fault(pointer, detail))?, clock))
    }

    /// As [`Self::new`], with a time that was read already.
    pub(super) fn at(
        activity_type: String,
        actor: String,
        time: Option<DateTime<Utc>>,
        clock: Clock,
    ) -> Self {
        let corrected = time.map(|time| clock.correct(time));
        let pending = Pending {
            id: None,
            activity_type,
            actor,
            occurred_at: corrected.map(|(time, _)| time),
            value: None,
            properties: None,
            context: None,
        };
        Self { pending, is_time_estimated: corrected.is_some_and(|(_, is_estimated)| is_estimated) }
    }
}

/// A fault of one field.
pub(super) fn fault(pointer: &str, detail: impl Into<String>) -> FieldError {
    FieldError { pointer: pointer.to_owned(), detail: detail.into() }
}

/// Faults as the domain finds them, at the names that the protocol has for its fields.
pub(super) fn named(faults: Vec<ContentFault>, fields: &[(&str, &str)]) -> Vec<FieldError> {
    let error = |fault: ContentFault| {
        let theirs = fields.iter().find_map(|(ours, theirs)| {
            let rest = fault.pointer.strip_prefix(ours)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{theirs}{rest}"))
        });
        FieldError { pointer: theirs.unwrap_or(fault.pointer), detail: fault.detail }
    };
    faults.into_iter().map(error).collect()
}
