//! A log with its appender and relay, and processes of reports on it.

mod asking;
mod poison;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use access::{Authenticator, HttpAuthority};
use axum::Router;
use axum::body::Bytes;
use chassis::{Env, Service, Upstream};
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use domain::activity::{
    ActivityContent, ActivityCorrected, ActivityEvent, ActivityRedacted, OccurredAtSource,
};
use domain::dead_letter::{DeadLetter, DeadLetterDiscarded, DeadLetterEvent};
use domain::{ActivityId, CustomerId, EventPayload, Partition, Partitions};
use event_bus::{EmbeddedPublisher, Relay};
use event_store::{Append, Appended, Appender, AppenderConfig, EventLog, NewEvent};
use http::{HeaderMap, StatusCode};
use scratch_database::ScratchDatabase;
use serde_json::Value;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Config;
use crate::fold::Folder;
use crate::state::AppState;
use crate::store::Sizes;

pub(super) use poison::UNREADABLE;

pub(super) const KEY: &str = "a key that only tests know";
const PARTITIONS: u16 = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// A log with its appender and relay, and a database for reports.
pub(super) struct House {
    pub(super) log: EventLog,
    appender: Appender,
    reports: ScratchDatabase,
    activities: ScratchDatabase,
    /// The last content of each stream, and its number of events.
    streams: Mutex<HashMap<String, (Option<ActivityContent>, i64)>>,
    _tasks: JoinSet<()>,
}

/// One running instance of the service.
pub(super) struct Reports {
    router: Router,
    shutdown: CancellationToken,
    service: Service,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Null if it is empty or no JSON.
    pub(super) body: Value,
    pub(super) bytes: Bytes,
}

impl Answer {
    /// Status and kind of a problem.
    pub(super) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        (self.status.as_u16(), self.body["type"].as_str().unwrap())
    }
}

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn customer() -> CustomerId {
    CustomerId(Uuid::now_v7())
}

pub(super) fn content(kind: &str, actor: &str, occurred_at: &str) -> ActivityContent {
    ActivityContent {
        activity_type: kind.to_owned(),
        actor: actor.to_owned(),
        occurred_at: at(occurred_at),
        occurred_at_source: OccurredAtSource::Client,
        value: None,
        properties: None,
        context: None,
    }
}

impl House {
    /// Without any process of reports.
    pub(super) async fn empty() -> Self {
        let activities = ScratchDatabase::migrated("activities").await;
        let log =
            EventLog::open(activities.pool().clone(), Partitions::new(PARTITIONS).unwrap()).await.unwrap();
        let mut tasks = JoinSet::new();
        let ends = CancellationToken::new();
        let appender = Appender::start(&log, AppenderConfig::default(), &mut tasks, &ends);
        let publisher = Arc::new(EmbeddedPublisher::new(log.clone()));
        Relay::start(log.clone(), publisher, appender.commits(), &mut tasks, ends);
        let reports = ScratchDatabase::migrated("reports").await;
        Self { log, appender, reports, activities, streams: Mutex::default(), _tasks: tasks }
    }

    /// With one process of reports.
    pub(super) async fn start() -> (Self, Reports) {
        let house = Self::empty().await;
        let reports = house.reports(20).await;
        (house, reports)
    }

    /// The same log, and a database of reports that is new.
    pub(super) async fn elsewhere(self) -> Self {
        Self { reports: ScratchDatabase::migrated("reports").await, ..self }
    }

    /// The head of a customer's partition.
    pub(super) async fn head(&self, customer: CustomerId) -> i64 {
        self.log.heads().await.unwrap()[usize::from(self.partition(customer).0)].position
    }

    /// The state of the handlers of a new instance.
    pub(super) fn state(&self) -> AppState {
        let config = self.config(60_000);
        let authority =
            HttpAuthority { upstream: config.customers.clone(), key: config.internal_key.clone() };
        let authenticator = Authenticator::new(Arc::new(authority), config.tokens);
        crate::start::state(&config, self.pool(), &self.log, Arc::default(), authenticator)
    }

    /// What a fold needs.
    pub(super) fn folder(&self) -> Folder {
        Folder::new(self.log.clone(), Sizes::default())
    }

    pub(super) fn pool(&self) -> &PgPool {
        self.reports.pool()
    }

    pub(super) fn config(&self, fold_delay_ms: u64) -> Config {
        let (reports, activities) = (self.reports.url(), self.activities.url());
        let delay = fold_delay_ms.to_string();
        let env = Env::from_pairs([
            ("DAYBOOK_REPORTS_DATABASE_URL", reports.as_str()),
            ("DAYBOOK_ACTIVITIES_DATABASE_URL", activities.as_str()),
            // Customers is away; callers here are vouched for by the gateway.
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", reports.as_str()),
            ("DAYBOOK_INTERNAL_KEY", KEY),
            ("DAYBOOK_REPORTS_CONNECTIONS_MAX", "10"),
            ("DAYBOOK_FOLD_DELAY_MS", delay.as_str()),
        ]);
        Config { customers: Upstream::Local(Router::new()), ..Config::from_env(&env).unwrap() }
    }

    /// Starts a process of reports.
    pub(super) async fn reports(&self, fold_delay_ms: u64) -> Reports {
        let shutdown = CancellationToken::new();
        let service = crate::start(self.config(fold_delay_ms), shutdown.clone()).await.unwrap();
        Reports { router: service.router.clone(), shutdown, service }
    }

    pub(super) fn partition(&self, customer: CustomerId) -> Partition {
        self.log.partitions().of(customer)
    }

    pub(super) async fn record(&self, customer: CustomerId, id: &str, content: ActivityContent) -> i64 {
        self.happen(customer, id, &ActivityEvent::ActivityRecorded(content)).await
    }

    pub(super) async fn correct(
        &self,
        customer: CustomerId,
        id: &str,
        change: impl FnOnce(&mut ActivityContent),
    ) {
        self.store(vec![self.next_correction(customer, id, change)]).await;
    }

    pub(super) async fn redact(&self, customer: CustomerId, id: &str) {
        self.store(vec![self.next_redaction(customer, id)]).await;
    }

    fn standing(&self, customer: CustomerId, id: &str) -> ActivityContent {
        let stream = ActivityId::parse(id).unwrap().stream(customer);
        self.streams.lock().unwrap()[&stream].0.clone().unwrap()
    }

    /// Appends an event, and returns its position.
    pub(super) async fn happen(&self, customer: CustomerId, id: &str, event: &ActivityEvent) -> i64 {
        self.store(vec![self.next(customer, id, event)]).await
    }

    /// The next event of an activity, which is still to be appended.
    pub(super) fn next(&self, customer: CustomerId, id: &str, event: &ActivityEvent) -> Append {
        let stream = ActivityId::parse(id).unwrap().stream(customer);
        let sequence = {
            let mut streams = self.streams.lock().unwrap();
            let (content, sequence) = streams.entry(stream.clone()).or_default();
            *sequence += 1;
            *content = match event {
                ActivityEvent::ActivityRecorded(content) => Some(content.clone()),
                ActivityEvent::ActivityCorrected(corrected) => Some(corrected.after.clone()),
                ActivityEvent::ActivityRedacted(_) => None,
            };
            *sequence
        };
        let (event_type, version) = (event.event_type(), event.event_version());
        self.unit("activity", customer, stream, sequence, event_type, version, event.encode().unwrap())
    }

    /// An event of an activity that nothing can fold, which is still to be appended.
    pub(super) fn next_unknown(&self, customer: CustomerId, id: &str) -> Append {
        let stream = ActivityId::parse(id).unwrap().stream(customer);
        let sequence = {
            let mut streams = self.streams.lock().unwrap();
            let (_, sequence) = streams.entry(stream.clone()).or_default();
            *sequence += 1;
            *sequence
        };
        let (event_type, version) = ("ActivityDreamt".to_owned(), "1.0.0".to_owned());
        self.unit("activity", customer, stream, sequence, event_type, version, "{}".to_owned())
    }

    /// The correction of an activity, which is still to be appended.
    pub(super) fn next_correction(
        &self,
        customer: CustomerId,
        id: &str,
        change: impl FnOnce(&mut ActivityContent),
    ) -> Append {
        let before = self.standing(customer, id);
        let mut after = before.clone();
        change(&mut after);
        let event = ActivityEvent::ActivityCorrected(Box::new(ActivityCorrected { before, after }));
        self.next(customer, id, &event)
    }

    /// The redaction of an activity, which is still to be appended.
    pub(super) fn next_redaction(&self, customer: CustomerId, id: &str) -> Append {
        let before = self.standing(customer, id);
        self.next(customer, id, &ActivityEvent::ActivityRedacted(ActivityRedacted { before }))
    }

    /// Records in the log that an event is discarded.
    pub(super) async fn discard(&self, customer: CustomerId, projection: &str, position: i64) -> i64 {
        let event = DeadLetterEvent::DeadLetterDiscarded(DeadLetterDiscarded {
            projection: projection.to_owned(),
            position,
            stream: String::new(),
            event_type: String::new(),
            failure: String::new(),
            reason: "a test".to_owned(),
        });
        let stream = DeadLetter::stream(customer, projection, position);
        let (event_type, version) = (event.event_type(), event.event_version());
        let payload = event.encode().unwrap();
        self.append_as("dead_letter", customer, stream, 1, event_type, version, payload).await
    }

    /// Appends something that is stored as an event of an activity, whatever it is.
    pub(super) async fn append(
        &self,
        customer: CustomerId,
        stream: String,
        sequence: i64,
        event_type: String,
        event_version: String,
        payload: String,
    ) -> i64 {
        self.append_as("activity", customer, stream, sequence, event_type, event_version, payload).await
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of an event")]
    async fn append_as(
        &self,
        aggregate_type: &'static str,
        customer: CustomerId,
        stream: String,
        sequence: i64,
        event_type: String,
        event_version: String,
        payload: String,
    ) -> i64 {
        let unit = self.unit(aggregate_type, customer, stream, sequence, event_type, event_version, payload);
        self.store(vec![unit]).await
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of an event")]
    pub(super) fn unit(
        &self,
        aggregate_type: &'static str,
        customer: CustomerId,
        stream: String,
        sequence: i64,
        event_type: String,
        event_version: String,
        payload: String,
    ) -> Append {
        let event = NewEvent {
            event_id: Uuid::now_v7(),
            event_type,
            event_version,
            payload,
            metadata: "{}".to_owned(),
        };
        Append {
            partition: self.partition(customer),
            customer_id: customer,
            aggregate_type,
            aggregate_id: stream,
            sequence,
            events: vec![event],
        }
    }

    /// Appends what is new in one commit, and returns the position of the last event; 0 if there is none.
    pub(super) async fn store(&self, units: Vec<Append>) -> i64 {
        let stored = self.appender.append(units).await.unwrap();
        let position = |stored: &Appended| match stored {
            Appended::Stored { position, .. } => *position,
            refuted @ Appended::Conflict => panic!("{refuted:?}"),
        };
        stored.iter().map(position).next_back().unwrap_or(0)
    }

    /// Waits until every projection has accounted for everything that was appended.
    pub(super) async fn folded(&self) {
        let heads: Vec<i64> = self.log.heads().await.unwrap().iter().map(|head| head.position).collect();
        eventually("everything is folded", async || {
            let status = crate::status(self.pool()).await.unwrap();
            status.iter().all(|projection| {
                projection
                    .partitions
                    .iter()
                    .zip(&heads)
                    .all(|(checkpoint, head)| checkpoint.position >= *head)
            })
        })
        .await;
    }
}

/// Waits for a condition.
pub(super) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
