use chassis::{FieldError, Problem};
use serde::Deserialize;

/// A line of the door's answer, or what came instead.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Answer {
    Rejected {
        line: u64,
        errors: Vec<FieldError>,
    },
    Progress {
        line: u64,
        accepted: u64,
        duplicates: u64,
    },
    Summary {
        complete: bool,
        line: u64,
        accepted: u64,
        duplicates: u64,
        #[serde(default)]
        problem: Option<Problem>,
    },
    /// The door does not begin.
    #[serde(skip)]
    Refused(Problem),
    /// The connection broke off, or was never made.
    #[serde(skip)]
    Broken(String),
}
