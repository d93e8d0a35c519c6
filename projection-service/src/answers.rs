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

/// Responses of reports and lists that have no usual body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum NoAnswer {
    /// The client already has this answer: its `ETag` has not changed.
    #[response(status = 304)]
    Known,
    /// The position in `wait_for` was not folded in time; the body has what there is.
    #[response(status = 504)]
    NotYet(Problem),
}

/// The header of a conditional request.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only documents the header")]
pub(crate) struct KnownAnswer {
    /// The `ETag` of the answer that the client has.
    #[param(rename = "If-None-Match")]
    tag: Option<String>,
}

/// Why a dead letter was not retried or discarded.
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
