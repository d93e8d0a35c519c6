//! The parts of answers that several routes share, and the problems that they document.

use chassis::Problem;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, IntoResponses, ToSchema};

/// How far the answer takes history into account.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct AsOf {
    /// Every activity up to this position of the customer's history is in it, and none after.
    pub(crate) position: i64,
    /// When the event at this position was recorded; none while there is none.
    #[schema(required)]
    pub(crate) time: Option<DateTime<Utc>>,
}

/// What may come where a report or a list was asked for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum NoAnswer {
    /// The answer shows what the client knows already.
    #[response(status = 304)]
    Known,
    /// The position that was waited for has not come; the answer is what there is.
    #[response(status = 504)]
    NotYet(Problem),
}

/// What the client knows.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only documents the header")]
pub(crate) struct KnownAnswer {
    /// The `ETag` of the answer that is known.
    #[param(rename = "If-None-Match")]
    tag: Option<String>,
}

/// Why nothing became of a dead letter.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum DeadLetterProblems {
    /// There is no such dead letter.
    #[response(status = 404)]
    NotFound(Problem),
    /// It waits behind another one, cannot be folded, or is just being rebuilt; `type` and `detail` say which.
    #[response(status = 409)]
    Conflict(Problem),
}
