use std::sync::Arc;
use std::time::Duration;

use access::Access;
use bytes::Bytes;
use chassis::{Backoff, Closing, LinesBody, Problem};
use chrono::Utc;
use domain::CustomerId;
use domain::token::Scope;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::check::CheckedGroup;
use super::groups::GroupReader;
use super::lines::Group;
use super::places::StreamPlace;
use super::tell::{Gone, GroupRecorded, Teller};
use crate::error::ActivitiesError;
use crate::state::AppState;

/// The most groups of one stream that are checked, or wait to be recorded.
const CHECKING_MAX: usize = 2;
/// The most that are recorded at the same time.
const RECORDING_MAX: usize = 4;
/// How long the head of the answer waits for the first bytes: a client that asked whether it may go on then hears
/// `100 Continue` before it.
const BEGIN_WAIT: Duration = Duration::from_secs(1);
/// How long to wait before a group is tried again.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));

/// A stream of one customer.
pub(crate) struct Stream {
    state: AppState,
    customer: CustomerId,
    /// Who sends it; asked for again with each group, for a token may be revoked meanwhile.
    headers: HeaderMap,
    cause: Arc<str>,
    reader: GroupReader,
    closing: Closing,
    _place: StreamPlace,
}

/// A group whose lines have been checked, with its place among the groups of all streams.
type Checked = (CheckedGroup, OwnedSemaphorePermit);

impl Stream {
    pub(crate) fn new(
        state: AppState,
        place: StreamPlace,
        (customer, headers, cause): (CustomerId, HeaderMap, String),
        (body, closing): (LinesBody, Closing),
    ) -> Self {
        let limits = state.limits;
        let idle = Duration::from_secs(limits.stream_idle_s);
        let reader = GroupReader::new(body, limits.body_max_bytes, idle);
        Self { state, customer, headers, cause: cause.into(), reader, closing, _place: place }
    }

    /// Waits for the first bytes, but not for long.
    pub(crate) async fn begin(&mut self) {
        self.reader.begin(BEGIN_WAIT).await;
    }

    /// Records the stream to its end, and sends the lines of the answer.
    pub(crate) async fn run(mut self, answer: mpsc::Sender<Bytes>) {
        let mut teller = Teller::new(answer);
        let told = match self.record_all(&mut teller).await {
            Ok(problem) => teller.tell_summary(problem).await,
            Err(Gone) => Err(Gone),
        };
        if told.is_err() {
            tracing::debug!("the client of a stream has gone");
        }
    }

    /// Returns why the stream ended early, if it did.
    async fn record_all(&mut self, teller: &mut Teller) -> Result<Option<Problem>, Gone> {
        let (mut checking, mut recording) = (FuturesOrdered::new(), FuturesOrdered::new());
        let (closing, sender) = (self.closing.clone(), (self.state.access.clone(), self.headers.clone()));
        // None while it is read; then why it ended early, if it did.
        let mut ended: Option<Option<Problem>> = None;
        loop {
            if checking.is_empty()
                && recording.is_empty()
                && let Some(problem) = ended
            {
                return Ok(problem);
            }
            let may_read = ended.is_none() && checking.len() < CHECKING_MAX;
            if !may_read {
                self.reader.paused();
            }
            let due = teller.due();
            tokio::select! {
                biased;
                Some(recorded) = recording.next() => match recorded {
                    Ok(group) => teller.add(group).await?,
                    // What comes after it must not be told of.
                    Err(problem) => return Ok(Some(problem)),
                },
                Some(checked) = checking.next(), if recording.len() < RECORDING_MAX => match checked {
                    Ok(checked) => recording.push_back(self.recorded(checked)),
                    Err(problem) => ended = Some(Some(problem)),
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    teller.tell_progress().await?;
                }
                () = closing.cancelled(), if ended.is_none() => ended = Some(Some(stopping())),
                group = self.reader.next(), if may_read => match admitted(&sender, group).await {
                    Ok(Some(group)) => checking.push_back(self.checked(group)),
                    Ok(None) => ended = Some(None),
                    Err(problem) => ended = Some(Some(problem)),
                },
            }
        }
    }

    fn checked(&self, group: Group) -> impl Future<Output = Result<Checked, Problem>> + use<> {
        let (groups, line_bytes_max) =
            (Arc::clone(&self.state.stream_groups), self.state.limits.body_max_bytes);
        async move {
            let permit = groups.acquire_owned().await.map_err(Problem::internal)?;
            // Reading a thousand lines takes long enough to hold up others on the same thread.
            let checking =
                tokio::task::spawn_blocking(move || CheckedGroup::of(&group, line_bytes_max, Utc::now()));
            Ok((checking.await.map_err(Problem::internal)?, permit))
        }
    }

    fn recorded(
        &self,
        (group, permit): Checked,
    ) -> impl Future<Output = Result<GroupRecorded, Problem>> + use<> {
        let (state, customer, cause) = (self.state.clone(), self.customer, Arc::clone(&self.cause));
        let closing = self.closing.clone();
        async move {
            let _permit = permit;
            let CheckedGroup { last, numbers, activities, rejected } = group;
            let patience = Duration::from_secs(state.limits.stream_outage_s);
            let (until, mut backoff, mut activities) = (Instant::now() + patience, BACKOFF, activities);
            loop {
                let unrecorded = match state.recorder.try_record(customer, activities, &cause).await {
                    Ok(outcomes) => return Ok(GroupRecorded { last, numbers, outcomes, rejected }),
                    Err(unrecorded) => unrecorded,
                };
                let error = ActivitiesError::from(unrecorded.error);
                let is_transient =
                    matches!(error, ActivitiesError::Overloaded | ActivitiesError::Unavailable(_));
                if !is_transient || Instant::now() >= until || closing.is_cancelled() {
                    return Err(error.into());
                }
                activities = unrecorded.activities;
                tokio::time::sleep(backoff.failed()).await;
            }
        }
    }
}

/// The group, if whoever sends it is still let in.
async fn admitted(
    (access, headers): &(Access, HeaderMap),
    group: Result<Option<Group>, Problem>,
) -> Result<Option<Group>, Problem> {
    let Some(group) = group? else { return Ok(None) };
    access.authenticate(headers).await?.require(Scope::Ingest)?;
    Ok(Some(group))
}

fn stopping() -> Problem {
    Problem::unavailable("service-stopping", 1).with_detail("The service stops; it comes back by itself.")
}
