//! The one way to read what a request says in its path and in its query string.

mod paging;
mod path;
mod query;
mod text;
mod time;

pub use paging::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, PageParameters, Paging, cut_page, page_limit};
pub use path::{AnyPath, ProblemPath};
pub use query::ProblemQuery;
pub use time::{Time, start_of_day};

use crate::problem::{FieldError, Problem};

/// The longest query string, in bytes as sent.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// The most parameters of one query string; each value of a repeated one counts.
pub const PARAMETERS_MAX: usize = 100;
/// The longest segment of a path that is a parameter, in bytes as sent.
const SEGMENT_BYTES_MAX: usize = 2 * 1024;
/// How much of a name that a client made up is repeated in a response, in characters.
const SHOWN_CHARS_MAX: usize = 64;

impl Problem {
    /// 400 for a parameter of the query string. `detail` follows its name: `must be 1 to 1000`.
    #[must_use]
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        of_parameter("invalid-query", name, detail.into())
    }

    /// 400 for a query string that cannot be read as a whole. `detail` is a sentence.
    #[must_use]
    pub fn query(detail: impl Into<String>) -> Self {
        Self::bad_request("invalid-query").with_detail(detail)
    }
}

/// Names the parameter in words, and for programs as the pointer of a field.
fn of_parameter(kind: &str, name: &str, detail: String) -> Problem {
    let name = shown(name);
    let mut problem = Problem::bad_request(kind).with_detail(format!("The parameter {name} {detail}."));
    problem.errors =
        vec![FieldError { pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")), detail }];
    problem
}

/// A text of a client's, as far as a response repeats it.
fn shown(text: &str) -> String {
    let kept: String = text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() { kept + "…" } else { kept }
}

/// What serde, std and chrono say of a value that does not fit, in words that say what would.
pub(crate) fn in_words(message: &str) -> String {
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number"
        }
        "number too large to fit in target type" => "is too large",
        "number too small to fit in target type" => "is too small",
        "invalid float literal" | "cannot parse float from empty string" => "must be a number",
        "premature end of input"
        | "input contains invalid characters"
        | "input is out of range"
        | "trailing input" => "must be a time with its zone such as 2026-03-01T09:30:00Z",
        other => other,
    }
    .to_owned()
}
