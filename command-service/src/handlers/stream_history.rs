use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, Problem, ProblemPath, ProblemQuery, ServerProblems, Time};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use cqrs_es::Aggregate;
use domain::activity::{Activity, ActivityEvent};
use domain::token::Scope;
use event_store::{HistoryEvent, LogError, RecordedEvent};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answers::QueryProblems;
use crate::error::ActivitiesError;
use crate::state::AppState;

/// The most events of one stream that are answered.
const EVENTS_MAX: usize = 1_000;

/// When.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct At {
    /// As it stood at this sequence, at this time (RFC 3339), or when this day began in the customer's zone; now if not
    /// given.
    #[param(example = "1")]
    at: Option<String>,
}

/// One stream and what it folds to. Only documents the answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct StreamHistory {
    /// `activity`.
    aggregate_type: String,
    /// The stream.
    aggregate_id: String,
    /// How many events it had then.
    sequence: u64,
    /// What it said then: `content` and `redacted`.
    #[schema(value_type = Object)]
    state: serde_json::Value,
    /// Its events up to then, in order.
    events: Vec<super::history::RecordedEvent>,
}

#[derive(Serialize)]
struct Answer<'a> {
    aggregate_type: &'static str,
    aggregate_id: &'a str,
    sequence: u64,
    state: &'a Activity,
    events: Vec<HistoryEvent<'a>>,
}

/// Read the history of one stream
///
/// Its events in order, and the state that they fold to, now or as it was.
#[utoipa::path(
    get, path = "/v1/history/{aggregate_id}", tag = "history",
    security(("token" = []), ("basic" = []), ("session" = [])),
    params(("aggregate_id" = String, Path, description = "The stream, as the history names it."), At),
    responses(
        (status = 200, description = "The stream.", body = StreamHistory),
        (status = 404, description = "There is no such stream, or there was none then.", body = Problem,
         content_type = "application/problem+json"),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn stream_history(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(aggregate_id): ProblemPath<String>,
    ProblemQuery(At { at }): ProblemQuery<At>,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Audit)?;
    let cut = at.as_deref().map(|at| Cut::read(at, principal.time_zone)).transpose()?;
    // Another customer's streams do not exist.
    if !aggregate_id.starts_with(&format!("{}:", principal.customer_id)) {
        return Err(ActivitiesError::StreamNotFound);
    }
    let partition = state.log.partitions().of(principal.customer_id);
    let mut events = state.log.read_stream(partition, Activity::TYPE, &aggregate_id).await?;
    events.retain(|event| cut.as_ref().is_none_or(|cut| cut.has(event)));
    events.truncate(EVENTS_MAX);
    if events.is_empty() {
        return Err(ActivitiesError::StreamNotFound);
    }
    let mut activity = Activity::default();
    for event in &events {
        activity.apply(event.decode::<ActivityEvent>().map_err(LogError::from)?);
    }
    let answer = Answer {
        aggregate_type: Activity::TYPE,
        aggregate_id: &aggregate_id,
        sequence: activity.sequence,
        state: &activity,
        events: events.iter().map(HistoryEvent::from).collect(),
    };
    Ok(Json(answer).into_response())
}

/// Up to where a stream is folded.
enum Cut {
    Sequence(i64),
    Time(DateTime<Utc>),
}

impl Cut {
    fn read(text: &str, zone: Tz) -> Result<Self, Problem> {
        if let Ok(sequence) = text.parse() {
            return Ok(Self::Sequence(sequence));
        }
        let time: Time =
            text.parse().map_err(|error| Problem::parameter("at", format!("{error}; or give a sequence")))?;
        Ok(Self::Time(time.instant(zone)))
    }

    fn has(&self, event: &RecordedEvent) -> bool {
        match self {
            Self::Sequence(sequence) => event.sequence <= *sequence,
            Self::Time(time) => event.recorded_at <= *time,
        }
    }
}
