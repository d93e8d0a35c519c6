use access::{Caller, Cause};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, Problem, ProblemJson, ServerProblems};
use chrono::{DateTime, Utc};
use domain::activity::{ActivityCommand, Revision};
use domain::token::Scope;
use http::HeaderMap;
use http::header::{ETAG, IF_MATCH};
use utoipa::ToSchema;

use super::get_activity::{current, etag};
use super::named::NamedActivity;
use crate::answers::{ActivityAnswer, ActivityProblems};
use crate::error::ActivitiesError;
use crate::state::AppState;

/// What to change; a field that is not given stays. [`Revision`] reads it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct Correction {
    /// A new type.
    #[schema(rename = "type", min_length = 1, max_length = 200)]
    activity_type: Option<String>,
    /// A new time.
    occurred_at: Option<DateTime<Utc>>,
    /// A new value, which a double must hold to its last digit; null takes it away.
    value: Option<f64>,
    /// New properties as a whole; null takes them away.
    #[schema(value_type = Option<Object>)]
    properties: Option<serde_json::Value>,
}

/// Correct an activity
///
/// Reports move what it contributed to the new place. The history keeps both. A correction that says what the activity says
/// already, with numbers compared by value, changes nothing.
#[utoipa::path(
    patch, path = "/v1/activities/{id}", tag = "activities",
    params(
        ("id" = String, Path, description = "The activity's id, percent-encoded. Of an id that clients take out of a \
          path, as `..`, the address is `/v1/activities/?id=..`."),
        ("if-match" = Option<String>, Header, description = "The ETag that GET answered; 412 if it has changed since."),
    ),
    request_body(content = Correction, example = json!({"value": 45.0})),
    responses(
        (status = 200, description = "The activity as it now stands.", body = ActivityAnswer,
         headers(("etag" = String, description = "Its new sequence."))),
        (status = 412, description = "It has changed since the sequence in If-Match.", body = Problem),
        ActivityProblems, BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn correct_activity(
    State(state): State<AppState>,
    caller: Caller,
    NamedActivity(id): NamedActivity,
    headers: HeaderMap,
    ProblemJson(revision): ProblemJson<Revision>,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Ingest)?;
    let expected_sequence = expected_sequence(&headers)?;
    let command = ActivityCommand::CorrectActivity { revision, expected_sequence, now: Utc::now() };
    let cause = Cause::request(&headers, principal.subject).to_json();
    state.changer.execute(principal.customer_id, &id, command, &cause).await?;
    let activity = current(&state.log, principal.customer_id, id).await?;
    Ok(([(ETAG, etag(activity.sequence))], Json(activity)))
}

/// The sequence that `If-Match` names; none without the header, or for `*`.
///
/// # Errors
/// [`ActivitiesError::InvalidIfMatch`]; a weak tag never matches (RFC 9110, 13.1.1).
pub(super) fn expected_sequence(headers: &HeaderMap) -> Result<Option<u64>, ActivitiesError> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or("?").trim();
    if text == "*" {
        return Ok(None);
    }
    if text.starts_with("W/") {
        return Err(ActivitiesError::SequenceMismatch { actual: None });
    }
    let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    unquoted.parse().map(Some).map_err(|_| ActivitiesError::InvalidIfMatch(text.escape_default().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_names_a_sequence() {
        let read = |text: &str| expected_sequence(&HeaderMap::from_iter([(IF_MATCH, text.parse().unwrap())]));
        assert_eq!(expected_sequence(&HeaderMap::new()).unwrap(), None);
        assert_eq!(
            (read("\"3\"").unwrap(), read("3").unwrap(), read("*").unwrap()),
            (Some(3), Some(3), None)
        );
        assert!(matches!(read("W/\"3\""), Err(ActivitiesError::SequenceMismatch { .. })));
        for text in ["", "x", "\"1\", \"2\"", "-1", "\"3"] {
            assert!(matches!(read(text), Err(ActivitiesError::InvalidIfMatch(_))), "{text}");
        }
    }
}
