use access::Caller;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chassis::{
    CallerProblems, PAGE_ITEMS_DEFAULT, Problem, ProblemQuery, QueryProblems, ServerProblems, Time,
    page_limit,
};
use chrono::{DateTime, Utc};
use domain::token::Scope;
use event_store::{HistoryFilter, HistoryQuery};
use futures::{StreamExt, TryStreamExt};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answers::one_line;
use crate::error::ActivitiesError;
use crate::history_event::HistoryEvent;
use crate::state::AppState;

/// The most payload and metadata of a page, in bytes, but for an event that is larger alone.
pub(super) const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Lines of NDJSON that are sent together: a page would hold back the first ones, and a line each costs a write.
const CHUNK_LINES_MAX: usize = 64;
/// With so many bytes they are sent, however few they are: a reader that has stopped reading holds one chunk.
const CHUNK_BYTES_MAX: usize = 256 * 1024;
const NDJSON: &str = "application/x-ndjson";

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// After this position: the `next_cursor` of the page before; from the first event if not given.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// The same by another name.
    #[param(minimum = 0)]
    cursor: Option<i64>,
    /// How many at most: 100 if not given; a stream has no limit unless one is given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Of an activity of this type, before or after a correction.
    r#type: Option<String>,
    /// About this actor, by the name that was recorded; also its descriptions and merges.
    actor: Option<String>,
    /// Recorded at or after this time, or on this day of the customer's zone or after it.
    #[param(inline)]
    since: Option<Time>,
    /// Recorded before this time, or before this day of the customer's zone.
    #[param(inline)]
    until: Option<Time>,
}

/// A page of history. Only documents the answer; [`HistoryEvent`] writes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct HistoryPage {
    /// In position order, without a hole in what was asked for. A page looks at a bounded number of events and has a bounded
    /// size, so it may have fewer items than asked for, or none.
    items: Vec<RecordedEvent>,
    /// For the next page, as `after`; null at the end, and only there.
    next_cursor: Option<String>,
}

/// An event as it lies in the log.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct RecordedEvent {
    /// Its partition.
    partition: u16,
    /// Its place in the partition.
    position: i64,
    /// `activity`, `actor`, `identities` or `dead_letter`.
    aggregate_type: String,
    /// Its stream.
    aggregate_id: String,
    /// The client's own id, for an activity.
    activity_id: Option<String>,
    /// Its place in the stream, from 1.
    sequence: i64,
    /// As `ActivityRecorded`.
    #[schema(example = "ActivityRecorded")]
    event_type: String,
    /// The version of the payload.
    #[schema(example = "2.0.0")]
    event_version: String,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// Its own id.
    event_id: uuid::Uuid,
    /// Whose it is.
    customer_id: uuid::Uuid,
    /// What happened.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    /// Who did it, and with which request.
    #[schema(value_type = Object)]
    metadata: serde_json::Value,
}

#[derive(Serialize)]
struct Answer<'a> {
    items: Vec<HistoryEvent<'a>>,
    next_cursor: Option<String>,
}

/// Read the history
///
/// Every event of the customer in position order: a JSON page, or with `Accept: application/x-ndjson` all of it as a
/// stream of lines. Each event is one line, and every number in it has the digits that were sent. What one actor did, or
/// what is of one type, is looked up where reports knows of it, and otherwise searched for with a bounded amount of work, so
/// that a page may then be empty: only a `next_cursor` of null is the end. A stream goes on to the end by itself.
#[utoipa::path(
    get, path = "/v1/history", tag = "history",
    params(Page),
    responses(
        (status = 200, description = "A page, or a stream of events.", content(
            (HistoryPage = "application/json"), (RecordedEvent = "application/x-ndjson"),
        )),
        QueryProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn history(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    ProblemQuery(page): ProblemQuery<Page>,
) -> Result<Response, ActivitiesError> {
    let principal = caller.require(Scope::Audit)?;
    let limit = page_limit(page.limit)?;
    let after = after(page.after, page.cursor)?;
    let zone = principal.time_zone;
    let filter = HistoryFilter {
        customer_id: Some(principal.customer_id),
        to: None,
        since: page.since.map(|time| time.instant(zone)),
        until: page.until.map(|time| time.instant(zone)),
        actor: page.actor,
        activity_type: page.r#type,
    };
    let partition = state.log.partitions().of(principal.customer_id);
    if wants_lines(&headers) {
        let events = state.history.replay_partition(partition, after, filter);
        return Ok(lines(events.take(limit.map_or(usize::MAX, |limit| limit as usize))));
    }
    let limit = limit.unwrap_or(PAGE_ITEMS_DEFAULT.into()) as usize;
    let query = HistoryQuery { partition, after, limit, bytes_max: PAGE_BYTES_MAX, filter };
    let page = state.history.page(&query).await?;
    let next_cursor = page.next.map(|position| position.to_string());
    one_line(&Answer { items: page.events.iter().map(HistoryEvent::from).collect(), next_cursor })
}

/// Both names of one thing.
pub(super) fn after(after: Option<i64>, cursor: Option<i64>) -> Result<i64, Problem> {
    let (name, position) = match (after, cursor) {
        (Some(_), Some(_)) => {
            return Err(Problem::parameter("cursor", "means the same as after; give one of them"));
        }
        (Some(after), None) => ("after", after),
        (None, Some(cursor)) => ("cursor", cursor),
        (None, None) => return Ok(0),
    };
    if position < 0 { Err(Problem::parameter(name, "must not be negative")) } else { Ok(position) }
}

fn wants_lines(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepts.flat_map(|accept| accept.split(',')).any(|one| {
        one.split(';').next().is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(NDJSON))
    })
}

/// A line each. A log that breaks off breaks off the answer, so that a client does not take a part for the whole.
fn lines<S>(events: S) -> Response
where
    S: futures::Stream<Item = Result<event_store::RecordedEvent, event_store::LogError>> + Send + 'static,
{
    let chunks = futures::stream::try_unfold(Box::pin(events), |mut events| async move {
        let (mut chunk, mut lines) = (Vec::new(), 0);
        while lines < CHUNK_LINES_MAX && chunk.len() < CHUNK_BYTES_MAX {
            let Some(event) = events.try_next().await? else { break };
            chunk.extend_from_slice(HistoryEvent::from(&event).to_line()?.as_bytes());
            chunk.push(b'\n');
            lines += 1;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((lines > 0).then(|| (Bytes::from(chunk), events)))
    });
    let chunks = chunks.inspect_err(|error| tracing::warn!(%error, "a stream of history broke off"));
    let mut response = Body::from_stream(chunks).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    response
}
