//! The parts of responses that several routes share, and the problems that they document.

use axum::response::{IntoResponse, Response};
use chassis::Problem;
use chrono::{DateTime, Utc};
use domain::{Json, canonical_line};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::error::ActivitiesError;

/// An activity as it now stands.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentActivity)]
pub(crate) struct ActivityAnswer {
    /// The client's id, or the one that was made.
    #[schema(example = "order-1042-paid")]
    pub(crate) id: String,
    /// What was done.
    #[serde(rename = "type")]
    #[schema(example = "order.paid")]
    pub(crate) activity_type: String,
    /// Who did it.
    #[schema(example = "ada")]
    pub(crate) actor: String,
    /// When it happened.
    pub(crate) occurred_at: DateTime<Utc>,
    /// An amount, a duration, a score: a double.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    /// What the customer wants to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) properties: Option<Json>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) context: Option<Json>,
    /// How many events its stream has; also the `ETag`, for `If-Match`.
    pub(crate) sequence: u64,
    /// The partition in which its history lies.
    pub(crate) partition: u16,
    /// Position of the event that recorded it.
    pub(crate) position: i64,
    /// When it was recorded.
    pub(crate) recorded_at: DateTime<Utc>,
}

/// A response with what clients wrote, as one line of JSON whatever they wrote.
///
/// # Errors
/// None that a stored event can bring about.
pub(crate) fn one_line(answer: &impl Serialize) -> Result<Response, ActivitiesError> {
    let text = serde_json::to_string(answer).map_err(|error| ActivitiesError::Internal(error.to_string()))?;
    let line = canonical_line(&text).into_owned();
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], line).into_response())
}

/// Why there is no activity to return, or none to change.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the answers")]
pub(crate) enum ActivityProblems {
    /// There is no such activity.
    #[response(status = 404)]
    NotFound(Problem),
    /// It was redacted.
    #[response(status = 410)]
    Redacted(Problem),
}
