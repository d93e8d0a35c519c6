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
use domain::CustomerId;
use domain::activity::Activity;
use domain::actor::Actor;
use domain::identity::Identities;
use domain::token::Scope;
use event_store::{LogError, RecordedEvent as Event, StreamQuery};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
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
    /// `activity`, `actor` or `identities`.
    aggregate_type: String,
    /// The stream.
    aggregate_id: String,
    /// How many events it had then.
    sequence: u64,
    /// What it said then: of an activity `content` and `redacted`, of an actor `traits`; null for the merges of a customer, of
    /// which there may be many.
    #[schema(value_type = Option<Object>, required)]
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
    state: Option<Box<RawValue>>,
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
    let kind = Kind::of(principal.customer_id, &aggregate_id).ok_or(ActivitiesError::StreamNotFound)?;
    let aggregate_type = kind.aggregate_type();
    let partition = state.log.partitions().of(principal.customer_id);
    let to = match cut {
        None => i64::MAX,
        Some(Cut::Sequence(sequence)) => sequence,
        Some(Cut::Time(time)) => {
            state.log.sequence_at(partition, aggregate_type, &aggregate_id, time).await?
        }
    };
    // The last event alone says what all of them fold to.
    let last = state.log.read_last(partition, aggregate_type, &aggregate_id, to).await?;
    let last = last.ok_or(ActivitiesError::StreamNotFound)?;
    let query = StreamQuery {
        partition,
        aggregate_type,
        aggregate_id: &aggregate_id,
        after,
        to: last.sequence,
        limit,
        bytes_max: PAGE_BYTES_MAX,
    };
    let page = state.log.stream_page(&query).await?;
    one_line(&Answer {
        aggregate_type,
        aggregate_id: &aggregate_id,
        sequence: last.sequence as u64,
        state: kind.state(&last)?,
        events: page.events.iter().map(HistoryEvent::from).collect(),
        next_cursor: page.next.map(|sequence| sequence.to_string()),
    })
}

/// The aggregate that a stream is of; its id says it.
#[derive(Clone, Copy)]
enum Kind {
    Activity,
    Actor,
    Identities,
}

impl Kind {
    /// None for what can be no stream of the customer: another customer's streams do not exist.
    fn of(customer: CustomerId, aggregate_id: &str) -> Option<Self> {
        let of_customer = aggregate_id.strip_prefix(&customer.to_string())?;
        if of_customer.starts_with(':') {
            Some(Self::Activity)
        } else if aggregate_id.starts_with(&Actor::stream(customer, "")) {
            Some(Self::Actor)
        } else {
            (aggregate_id == Identities::stream(customer)).then_some(Self::Identities)
        }
    }

    fn aggregate_type(self) -> &'static str {
        match self {
            Self::Activity => Activity::TYPE,
            Self::Actor => Actor::TYPE,
            Self::Identities => Identities::TYPE,
        }
    }

    /// What the stream says after an event, where that event alone says it.
    fn state(self, last: &Event) -> Result<Option<Box<RawValue>>, ActivitiesError> {
        let sequence = last.sequence as u64;
        let state = match self {
            Self::Activity => {
                to_raw_value(&Activity::after(last.decode().map_err(LogError::from)?, sequence))
            }
            Self::Actor => to_raw_value(&Actor::after(last.decode().map_err(LogError::from)?, sequence)),
            Self::Identities => return Ok(None),
        };
        state.map(Some).map_err(|error| ActivitiesError::Internal(error.to_string()))
    }
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
