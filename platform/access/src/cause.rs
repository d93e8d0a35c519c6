use std::collections::HashMap;
use std::hash::BuildHasher;

use chassis::request_id;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::Subject;

/// Length of a W3C `traceparent` of version 00, in bytes.
const TRACEPARENT_BYTES: usize = 55;
/// The subject of what is done at the command line of the system itself.
const OPERATOR: &str = "operator";

/// What caused an event: the metadata that every event of every log has. Each field is a text, and a field that an event
/// does not have is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The request, as its `x-request-id` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who did it: `token:<id>`, `member:<id>` or `operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The W3C trace context, as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// For somebody who joins: who invited, as a subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<String>,
}

impl Cause {
    /// A request without a known caller.
    #[must_use]
    pub fn anonymous(headers: &HeaderMap) -> Self {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| text.len() == TRACEPARENT_BYTES && text.is_ascii());
        Self {
            request_id: request_id(headers).map(str::to_owned),
            traceparent: traceparent.map(str::to_owned),
            ..Self::default()
        }
    }

    /// A request of a known caller.
    #[must_use]
    pub fn request(headers: &HeaderMap, subject: Subject) -> Self {
        Self { subject: Some(subject.to_string()), ..Self::anonymous(headers) }
    }

    /// A command of the system's operator.
    #[must_use]
    pub fn operator() -> Self {
        Self { subject: Some(OPERATOR.to_owned()), ..Self::default() }
    }

    /// The cause in an event's metadata; an empty one if the metadata does not keep this form.
    #[must_use]
    pub fn of_metadata(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// As the log keeps it.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts only: it cannot fail.
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// As cqrs-es takes metadata.
impl<S: BuildHasher + Default> From<Cause> for HashMap<String, String, S> {
    fn from(cause: Cause) -> Self {
        let Cause { request_id, subject, traceparent, invited_by } = cause;
        let fields = [
            ("request_id", request_id),
            ("subject", subject),
            ("traceparent", traceparent),
            ("invited_by", invited_by),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
