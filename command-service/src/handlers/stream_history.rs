use access::Caller;
use axum::extract::State;
use axum::response::Response;
use chassis::{
    CallerProblems, PAGE_ITEMS_DEFAULT, Problem, ProblemPath, ProblemQuery, QueryProblems, ServerProblems,
    Time, page_limit,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use cqrs_es::Aggregate;
use domain::activity::Activity;
use domain::token::Scope;
use event_store::{LogError, StreamQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::history::{PAGE_BYTES_MAX, after};
use crate::answers::one_line;
use crate::error::ActivitiesError;
use crate::history_event::HistoryEvent;
use crate::state::AppState;

/// When, and which of its events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// As it stood at this sequence, at this time (RFC 3339), or when this day began in the customer's zone; now if not
    /// given.
    #[param(example = "1")]
    at: Option<String>,
    /// Events after this sequence: the `next_cursor` of the page before; from the first one if not given.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// The same by another name.
    #[param(minimum = 0)]
    cursor: Option<i64>,
    /// How many events at most: 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
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
    /// Its events up to then, in order: a page of them.
    events: Vec<super::history::RecordedEvent>,
    /// For the next page, as `after`; null at the end, and only there. The state is the same on every page.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    aggregate_type: &'static str,
    aggregate_id: &'a str,
    sequence: u64,
    state: &'a Activity,
    events: Vec<HistoryEvent<'a>>,
    next_cursor: Option<String>,
}

/// Read the history of one stream
///
/// Its events in order, in pages, and the state that all of them fold to, now or as it was.
#[utoipa::path(
    get, path = "/v1/history/{aggregate_id}", tag = "history",
    params(("aggregate_id" = String, Path, description = "The stream, as the history names it."), Page),
    responses(
        (status = 200, description = "The stream.", body = StreamHistory),
        (status = 404, description = "There is no such stream, or there was none then.", body = Problem),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn stream_history(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(aggregate_id): ProblemPath<String>,
    ProblemQuery(page): ProblemQuery<Page>,
) -> Result<Response, ActivitiesError> {
    let principal = caller.require(Scope::Audit)?;
    let cut = page.at.as_deref().map(|at| Cut::read(at, principal.time_zone)).transpose()?;
    let after = after(page.after, page.cursor)?;
    let limit = page_limit(page.limit)?.unwrap_or(PAGE_ITEMS_DEFAULT.into()) as usize;
    // Another customer's streams do not exist.
    if !aggregate_id.starts_with(&format!("{}:", principal.customer_id)) {
        return Err(ActivitiesError::StreamNotFound);
    }
    let partition = state.log.partitions().of(principal.customer_id);
    let to = match cut {
        None => i64::MAX,
        Some(Cut::Sequence(sequence)) => sequence,
        Some(Cut::Time(time)) => {
            state.log.sequence_at(partition, Activity::TYPE, &aggregate_id, time).await?
        }
    };
    // The last event alone says what all of them fold to.
    let last = state.log.read_last(partition, Activity::TYPE, &aggregate_id, to).await?;
    let last = last.ok_or(ActivitiesError::StreamNotFound)?;
    let activity = Activity::after(last.decode().map_err(LogError::from)?, last.sequence as u64);
    let query = StreamQuery {
        partition,
        aggregate_type: Activity::TYPE,
        aggregate_id: &aggregate_id,
        after,
        to: last.sequence,
        limit,
        bytes_max: PAGE_BYTES_MAX,
    };
    let page = state.log.stream_page(&query).await?;
    one_line(&Answer {
        aggregate_type: Activity::TYPE,
        aggregate_id: &aggregate_id,
        sequence: activity.sequence,
        state: &activity,
        events: page.events.iter().map(HistoryEvent::from).collect(),
        next_cursor: page.next.map(|sequence| sequence.to_string()),
    })
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
}
