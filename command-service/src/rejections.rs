//! What was sent and is not recorded: the last of each customer, with the reasons and where it came from.
//!
//! Invariants: noting a rejection never waits and never touches the database; a writer in the background stores many with
//! one statement and keeps the last [`KEPT_MAX`] of each customer. A burst that the writer cannot follow costs entries of
//! the list, which are counted, and no request its pace. The list is a convenience for people: the answer to the request,
//! and the counters, are always complete.

mod page;
mod writer;

use access::{Principal, Subject};
use chassis::{FieldError, Problem, Tasks, request_id};
use chrono::{DateTime, Utc};
use domain::CustomerId;
use http::HeaderMap;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::batch::RejectedItem;

pub(crate) use page::{ListedRejection, list};

/// How many of a customer are kept.
pub(crate) const KEPT_MAX: usize = 1_000;
/// How many may wait to be written, of all customers: with the limits below, at most about 20 MB.
const QUEUE_MAX: usize = 2_000;
/// How many of one request are listed; a request may have thousands, all for the same reason.
const OF_REQUEST_MAX: usize = 1_000;
/// The longest text of a message that is kept, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// The most faults of one message that are kept.
const FAULTS_MAX: usize = 5;

/// Where rejected messages came from: what a request is known by.
#[derive(Clone, Debug)]
pub(crate) struct RejectionSource {
    customer_id: CustomerId,
    subject: Subject,
    protocol: &'static str,
    request_id: Option<String>,
    received_at: DateTime<Utc>,
}

impl RejectionSource {
    pub(crate) fn new(principal: &Principal, protocol: &'static str, headers: &HeaderMap) -> Self {
        Self {
            customer_id: principal.customer_id,
            subject: principal.subject,
            protocol,
            request_id: request_id(headers).map(str::to_owned),
            received_at: Utc::now(),
        }
    }
}

/// A message that is not recorded.
#[derive(Debug)]
pub(crate) struct Rejection {
    /// Its place in the request, from 0; none for a request that could not be read.
    index: Option<usize>,
    activity_id: Option<String>,
    activity_type: Option<String>,
    errors: Vec<FieldError>,
}

impl Rejection {
    pub(crate) fn of(
        index: usize,
        activity_id: Option<String>,
        activity_type: Option<String>,
        errors: Vec<FieldError>,
    ) -> Self {
        Self { index: Some(index), activity_id, activity_type, errors }.shortened()
    }

    /// An item of a native batch.
    pub(crate) fn of_item(item: &RejectedItem) -> Self {
        Self::of(item.index, None, None, item.errors.clone())
    }

    /// A request of which nothing could be read.
    pub(crate) fn whole(problem: &Problem) -> Self {
        let errors = problem.clone().into_faults();
        Self { index: None, activity_id: None, activity_type: None, errors }.shortened()
    }

    fn shortened(mut self) -> Self {
        self.errors.truncate(FAULTS_MAX);
        let texts = self.errors.iter_mut().flat_map(|error| [&mut error.pointer, &mut error.detail]);
        for text in texts.chain(&mut self.activity_id).chain(&mut self.activity_type) {
            // PostgreSQL takes no NUL.
            *text = text.chars().filter(|char| *char != '\0').take(TEXT_CHARS_MAX).collect();
        }
        self
    }
}

/// A rejection on its way to the table.
struct Noted {
    source: RejectionSource,
    rejection: Rejection,
}

/// Takes what is rejected; its writer stores it.
#[derive(Clone, Debug)]
pub(crate) struct Rejections {
    queue: mpsc::Sender<Noted>,
    pool: PgPool,
}

impl Rejections {
    /// Starts the writer. It ends with `shutdown`, after what waits then.
    pub(crate) fn start(pool: PgPool, tasks: &mut Tasks, shutdown: CancellationToken) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        tasks.spawn(writer::run(pool.clone(), waiting, shutdown));
        Self { queue, pool }
    }

    /// Where the list lies.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Notes messages that are not recorded; never waits.
    pub(crate) fn note(&self, source: &RejectionSource, rejections: impl IntoIterator<Item = Rejection>) {
        let mut missed = 0;
        for (count, rejection) in rejections.into_iter().enumerate() {
            let noted = Noted { source: source.clone(), rejection };
            if count >= OF_REQUEST_MAX || self.queue.try_send(noted).is_err() {
                missed += 1;
            }
        }
        if missed > 0 {
            metrics::counter!("daybook_ingest_rejections_unlisted_total").increment(missed);
        }
    }
}
