use std::sync::Arc;

use access::{Cause, Principal, for_browsers};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use chassis::{BodyLimits, FieldError, Problem, gunzip, read_bytes};
use chrono::{DateTime, Utc};
use domain::ActivityId;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use uuid::Uuid;

use super::Protocol;
use super::message::{Draft, Message, Messages, named};
use super::results::{Outcome, Results};
use crate::batch::{ACTIVITIES_MAX, BODY_SMALL_BYTES, id_reused};
use crate::error::ActivitiesError;
use crate::recorder::{NewActivity, Recorded};
use crate::rejections::{Rejection, RejectionSource};
use crate::state::AppState;

/// The most messages of one request. Some clients send more than a native batch has; they are recorded in parts.
const MESSAGES_MAX: usize = 10_000;

/// A request whose body has arrived.
pub(super) struct Received {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) at: DateTime<Utc>,
    limits: BodyLimits,
}

impl Received {
    #[cfg(test)]
    pub(super) fn of(parts: Parts, body: impl Into<Bytes>, at: DateTime<Utc>) -> Self {
        Self { parts, body: body.into(), at, limits: BodyLimits::default() }
    }

    /// A header as text; empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Inflates a part of the body that is gzip though no header says so.
    pub(super) fn gunzip(&self, sent: &[u8]) -> Result<Bytes, Problem> {
        gunzip(sent, self.limits)
    }
}

/// A message that was checked.
struct Checked {
    id: Option<String>,
    activity_type: Option<String>,
    content: Result<NewActivity, Vec<FieldError>>,
}

/// Records what a request of this protocol brings, and answers as its clients expect.
pub(super) async fn ingest<P: Protocol>(state: AppState, request: Request) -> Response {
    for_browsers(request, |request| answer::<P>(state, request)).await
}

async fn answer<P: Protocol>(state: AppState, request: Request) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    match run::<P>(&state, request).await {
        Ok(response) => response,
        Err(problem) => P::refuse(content_type.as_ref(), problem),
    }
}

async fn run<P: Protocol>(state: &AppState, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Whoever must say it in the headers, or does, is refused before the body is read.
    let known = if !P::KEY_IN_BODY || state.access.is_named_in(&parts.headers) {
        Some(state.access.recorder(&parts.headers, &parts.extensions).await?)
    } else {
        None
    };
    let Ok(_place) = state.batches.try_acquire() else { return Err(ActivitiesError::Overloaded.into()) };
    let limits = state.limits.batch_body();
    let body = read_bytes(&parts.headers, body, limits).await?;
    let received = Received { parts, body, at: Utc::now(), limits };
    let (received, Read { key, checked }) = read_messages::<P>(received).await?;
    // Nobody is told what is wrong with a body without saying who asks.
    let principal = principal(state, known, key.as_deref(), &received.parts).await?;
    let source = RejectionSource::new(&principal, P::NAME, &received.parts.headers);
    let checked = checked.inspect_err(|problem| {
        count::<P>("rejected", 1);
        state.rejections.note(&source, [Rejection::whole(problem)]);
    })?;
    let results = record(state, &principal, &received, checked).await?;
    let results = note::<P>(state, &source, results);
    Ok(P::answer(&received, &results))
}

/// Who is calling: whoever the headers said, or the bearer of the key.
async fn principal(
    state: &AppState,
    known: Option<Arc<Principal>>,
    key: Option<&str>,
    Parts { headers, extensions, .. }: &Parts,
) -> Result<Arc<Principal>, Problem> {
    match (known, key) {
        (Some(principal), _) => Ok(principal),
        (None, Some(key)) => state.access.recorder_with(key, headers, extensions).await,
        (None, None) => state.access.recorder(headers, extensions).await,
    }
}

/// What was read of a body: the token in it, and its messages or why there are none.
struct Read {
    key: Option<String>,
    checked: Result<Vec<Checked>, Problem>,
}

/// Reads and checks the messages; a large body, or one that may be inflated to one, on a thread of its own.
async fn read_messages<P: Protocol>(received: Received) -> Result<(Received, Read), Problem> {
    let is_text = received.body.first().is_none_or(|first| b"{[".contains(first));
    if is_text && received.body.len() <= BODY_SMALL_BYTES {
        let read = read_and_check::<P>(&received);
        return Ok((received, read));
    }
    let reading = tokio::task::spawn_blocking(move || {
        let read = read_and_check::<P>(&received);
        (received, read)
    });
    reading.await.map_err(Problem::internal)
}

fn read_and_check<P: Protocol>(received: &Received) -> Read {
    let Messages { key, items } = match P::read(received) {
        Ok(messages) => messages,
        Err(problem) => return Read { key: None, checked: Err(problem) },
    };
    if items.len() > MESSAGES_MAX {
        let kind = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-messages");
        let problem = kind.with_detail(format!(
            "A request may have at most {MESSAGES_MAX} messages; this has {}. Nothing of it is recorded.",
            items.len()
        ));
        return Read { key, checked: Err(problem) };
    }
    Read { key, checked: Ok(items.into_iter().map(|item| check::<P>(item, received.at)).collect()) }
}

fn check<P: Protocol>(message: Message, now: DateTime<Utc>) -> Checked {
    let Draft { pending, is_time_estimated } = match message.draft {
        Ok(draft) => draft,
        Err(errors) => return Checked { id: message.id, activity_type: None, content: Err(errors) },
    };
    let activity_type = Some(pending.activity_type.clone());
    let checked = pending.check(now, || ActivityId::from_uuid(Uuid::now_v7()));
    let content = checked
        .map(|(id, content)| NewActivity { is_time_estimated, ..NewActivity::new(id, content) })
        .map_err(|faults| named(faults, P::FIELDS));
    Checked { id: message.id, activity_type, content }
}

/// A message of which it is known what became of it.
struct Judged {
    id: Option<String>,
    activity_type: Option<String>,
    outcome: Outcome,
}

async fn record(
    state: &AppState,
    principal: &Principal,
    received: &Received,
    checked: Vec<Checked>,
) -> Result<Vec<Judged>, Problem> {
    let cause = Cause::request(&received.parts.headers, principal.subject).to_json();
    let mut results = Vec::with_capacity(checked.len());
    let mut places = Vec::with_capacity(checked.len());
    let mut activities = Vec::with_capacity(checked.len());
    for (place, Checked { id, activity_type, content }) in checked.into_iter().enumerate() {
        let outcome = match content {
            Ok(activity) => {
                places.push(place);
                activities.push(activity);
                Outcome::Recorded
            }
            Err(errors) => Outcome::Rejected(errors),
        };
        results.push(Judged { id, activity_type, outcome });
    }
    let mut activities = activities.into_iter().peekable();
    let mut places = places.into_iter();
    while activities.peek().is_some() {
        let part: Vec<NewActivity> = activities.by_ref().take(ACTIVITIES_MAX).collect();
        let outcomes = state.recorder.record(principal.customer_id, part, &cause).await;
        let outcomes = outcomes.map_err(ActivitiesError::from)?;
        for (outcome, place) in outcomes.into_iter().zip(places.by_ref()) {
            results[place].outcome = outcome.into();
        }
    }
    Ok(results)
}

impl From<Recorded> for Outcome {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::New { .. } => Self::Recorded,
            Recorded::Duplicate { .. } => Self::Duplicate,
            Recorded::IdReused => Self::Rejected(vec![id_reused()]),
        }
    }
}

/// Counts what became of the messages, and lists those that are not recorded.
fn note<P: Protocol>(state: &AppState, source: &RejectionSource, judged: Vec<Judged>) -> Results {
    let rejection = |(index, message): (usize, &Judged)| match &message.outcome {
        Outcome::Rejected(errors) => {
            let (id, activity_type) = (message.id.clone(), message.activity_type.clone());
            Some(Rejection::of(index, id, activity_type, errors.clone()))
        }
        Outcome::Recorded | Outcome::Duplicate => None,
    };
    state.rejections.note(source, judged.iter().enumerate().filter_map(rejection));
    let results = Results(judged.into_iter().map(|message| (message.id, message.outcome)).collect());
    let (recorded, duplicates) = (results.count(&Outcome::Recorded), results.count(&Outcome::Duplicate));
    count::<P>("recorded", recorded);
    count::<P>("duplicate", duplicates);
    count::<P>("rejected", results.0.len() - recorded - duplicates);
    results
}

fn count<P: Protocol>(outcome: &'static str, messages: usize) {
    if messages > 0 {
        let labels = [("protocol", P::NAME), ("outcome", outcome)];
        metrics::counter!("daybook_ingest_messages_total", &labels).increment(messages as u64);
    }
}
