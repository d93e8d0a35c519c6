use chassis::FieldError;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::lines::Group;
use crate::batch::{faults_of, read_one};
use crate::recorder::NewActivity;

/// A line of a stream that is not recorded, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RejectedLine {
    /// Its number, counted from 1; empty lines count.
    pub(crate) line: u64,
    /// Each fault; its pointer leads into the line.
    pub(crate) errors: Vec<FieldError>,
}

/// A group of which each line is read and checked by itself.
pub(super) struct CheckedGroup {
    /// Number of its last line.
    pub(super) last: u64,
    /// The numbers of the good lines.
    pub(super) numbers: Vec<u64>,
    /// And what they say.
    pub(super) activities: Vec<NewActivity>,
    pub(super) rejected: Vec<RejectedLine>,
}

impl CheckedGroup {
    pub(super) fn of(group: &Group, line_bytes_max: usize, now: DateTime<Utc>) -> Self {
        let mut checked =
            Self { last: group.last, numbers: Vec::new(), activities: Vec::new(), rejected: Vec::new() };
        for (number, line) in group.lines() {
            match line.map(|line| (line, read_one(line, now))) {
                None => {
                    let detail = format!("a line may have at most {line_bytes_max} bytes");
                    let errors = vec![FieldError { pointer: String::new(), detail }];
                    checked.rejected.push(RejectedLine { line: number, errors });
                }
                Some(([], _)) => {}
                Some((_, Ok(activity))) => {
                    checked.numbers.push(number);
                    checked.activities.push(activity);
                }
                Some((_, Err(error))) => {
                    checked.rejected.push(RejectedLine { line: number, errors: faults_of(error) });
                }
            }
        }
        checked
    }
}
