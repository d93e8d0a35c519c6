use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::token::{TokenEvent, TokenHash, TokenRevoked, TokenRotated};
use domain::{CustomerId, EventPayload, Json, Partition, TokenId};
use event_bus::{BusError, EventSubscription, Published};
use event_store::RecordedEvent;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::authority::{Counting, authenticator, noon, secret, unknown, valid_until};
use crate::{Authenticator, Denied, Refusal};

const REVOKED: Denied = Denied::Refused(Refusal::Revoked);

async fn outcome(authenticator: &Authenticator, now: DateTime<Utc>) -> Result<(), Denied> {
    authenticator.authenticate(secret(1).reveal(), now).await.map(|_| ())
}

#[tokio::test]
async fn a_revoked_token_is_refused_without_a_call() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    assert_eq!(outcome(&authenticator, noon()).await, Ok(()));
    authenticator.revoke(&secret(1).hash()).await;
    assert_eq!(outcome(&authenticator, noon()).await, Err(REVOKED));
    assert_eq!(authority.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_under_way_cannot_undo_a_revocation() {
    let authority = Counting::new(valid_until(None));
    authority.hold();
    let authenticator = authenticator(&authority);
    let waiting = tokio::spawn({
        let authenticator = authenticator.clone();
        async move { outcome(&authenticator, noon()).await }
    });
    authority.is_asked(1).await;
    authenticator.revoke(&secret(1).hash()).await;
    authority.may_answer.add_permits(1);
    assert_eq!(waiting.await.unwrap(), Err(REVOKED));
    assert_eq!(outcome(&authenticator, noon()).await, Err(REVOKED));
    assert_eq!(authority.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_no_revoked_token_behind() {
    let authority = Counting::new(valid_until(None));
    authority.hold();
    let authenticator = authenticator(&authority);
    let waiting = tokio::spawn({
        let authenticator = authenticator.clone();
        async move { outcome(&authenticator, noon()).await }
    });
    authority.is_asked(1).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    authenticator.revoke(&secret(1).hash()).await;
    authority.may_answer.add_permits(1);
    assert_eq!(outcome(&authenticator, noon()).await, Err(REVOKED));
}

#[tokio::test]
async fn a_rotated_token_ends_sooner_and_never_later() {
    let authority = Counting::new(valid_until(Some(noon() + TimeDelta::hours(5))));
    let authenticator = authenticator(&authority);
    assert_eq!(outcome(&authenticator, noon()).await, Ok(()));
    for hours in [9, 2] {
        authenticator.end(&secret(1).hash(), noon() + TimeDelta::hours(hours)).await;
    }
    assert_eq!(outcome(&authenticator, noon() + TimeDelta::hours(1)).await, Ok(()));
    let late = outcome(&authenticator, noon() + TimeDelta::hours(3)).await;
    assert_eq!(late, Err(Denied::Refused(Refusal::Expired)));
}

#[tokio::test]
async fn what_is_served_while_cut_off_is_validated_again() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    authenticator.feed().set_connected();
    assert_eq!(outcome(&authenticator, noon()).await, Ok(()));
    authenticator.feed().set_disconnected(noon());
    assert_eq!(outcome(&authenticator, noon() + TimeDelta::milliseconds(900)).await, Ok(()));
    assert_eq!(authority.asked(), 1, "as long as a revocation may take anyway, a cut changes nothing");

    let late = noon() + TimeDelta::milliseconds(1_100);
    authority.answer(Some(unknown()));
    assert_eq!(outcome(&authenticator, late).await, Err(Denied::Refused(Refusal::Unknown)));
    assert_eq!(authority.asked(), 2);
}

#[tokio::test]
async fn cut_off_from_everything_known_tokens_work() {
    let authority = Counting::new(valid_until(None));
    let authenticator = authenticator(&authority);
    authenticator.feed().set_connected();
    assert_eq!(outcome(&authenticator, noon()).await, Ok(()));
    authenticator.feed().set_disconnected(noon());
    authority.answer(None);
    for _ in 0..100 {
        assert_eq!(outcome(&authenticator, noon() + TimeDelta::hours(1)).await, Ok(()));
    }
    assert_eq!(authority.asked(), 2, "and it is not asked for every request");
}

/// A log in memory that can be cut off.
struct Log {
    events: Mutex<Vec<TokenEvent>>,
    head: watch::Sender<i64>,
    is_cut: watch::Sender<bool>,
    /// How often it was set back.
    course: AtomicU64,
}

impl Log {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            events: Mutex::default(),
            course: AtomicU64::new(0),
            head: watch::Sender::new(0),
            is_cut: watch::Sender::new(false),
        })
    }

    /// The restore of an empty backup.
    fn set_back(&self) {
        self.events.lock().unwrap().clear();
        self.head.send_replace(0);
        self.course.fetch_add(1, Ordering::SeqCst);
    }

    fn append(&self, event: TokenEvent) {
        self.events.lock().unwrap().push(event);
        self.head.send_modify(|head| *head += 1);
    }

    fn cut(&self) -> Result<(), BusError> {
        if *self.is_cut.borrow() { Err(BusError::Broker("cut off".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl EventSubscription for Log {
    async fn published(&self) -> Result<Vec<Published>, BusError> {
        self.cut()?;
        let mut head = self.head.subscribe();
        // Repeats itself, as a poll does.
        let _ = tokio::time::timeout(Duration::from_millis(20), head.changed()).await;
        Ok(vec![Published { partition: Partition(0), position: *head.borrow() }])
    }

    async fn fetch(
        &self,
        partition: Partition,
        after: i64,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, BusError> {
        self.cut()?;
        let events = self.events.lock().unwrap();
        let numbered = events.iter().zip(1..).skip(after as usize).take(max);
        let course = self.course.load(Ordering::SeqCst);
        let event_id = |position: i64| Uuid::from_u64_pair(course, position as u64);
        Ok(numbered
            .map(|(event, position)| RecordedEvent {
                event_id: event_id(position),
                ..recorded(partition, position, event)
            })
            .collect())
    }

    async fn acknowledge(&self, _: Partition, _: i64) -> Result<(), BusError> {
        self.cut()
    }
}

fn recorded(partition: Partition, position: i64, event: &TokenEvent) -> RecordedEvent {
    RecordedEvent {
        partition,
        position,
        aggregate_type: "token".into(),
        aggregate_id: "1:2".into(),
        sequence: position,
        event_type: match event {
            TokenEvent::TokenIssued(_) => "TokenIssued",
            TokenEvent::TokenRotated(_) => "TokenRotated",
            TokenEvent::TokenRevoked(_) => "TokenRevoked",
        }
        .into(),
        event_version: "1.0.0".into(),
        recorded_at: noon(),
        event_id: Uuid::nil(),
        customer_id: CustomerId(Uuid::from_u128(1)),
        payload: serde_json::from_str::<Json>(&event.encode().unwrap()).unwrap(),
        metadata: serde_json::from_str("{}").unwrap(),
    }
}

fn revoked(sha256: TokenHash) -> TokenEvent {
    TokenEvent::TokenRevoked(TokenRevoked { token_id: TokenId(Uuid::from_u128(2)), sha256 })
}

async fn eventually_refused(authenticator: &Authenticator, n: u8, now: DateTime<Utc>, as_what: Refusal) {
    let waiting = async {
        while authenticator.authenticate(secret(n).reveal(), now).await != Err(Denied::Refused(as_what)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
}

#[tokio::test]
async fn revocations_are_followed_through_an_interruption() {
    let (authority, log) = (Counting::new(valid_until(None)), Log::new());
    let authenticator = authenticator(&authority);
    let (mut tasks, shutdown) = (JoinSet::new(), CancellationToken::new());
    authenticator.follow_revocations(Arc::<Log>::clone(&log), &mut tasks, shutdown.clone());
    for n in 1..=3 {
        assert!(authenticator.authenticate(secret(n).reveal(), noon()).await.is_ok());
    }
    log.append(revoked(secret(1).hash()));
    eventually_refused(&authenticator, 1, noon(), Refusal::Revoked).await;

    log.is_cut.send_replace(true);
    log.append(revoked(secret(2).hash()));
    log.append(TokenEvent::TokenRotated(TokenRotated {
        token_id: TokenId(Uuid::from_u128(2)),
        sha256: secret(3).hash(),
        successor: TokenId(Uuid::from_u128(3)),
        ends_at: noon() + TimeDelta::hours(1),
    }));
    log.is_cut.send_replace(false);
    eventually_refused(&authenticator, 2, noon(), Refusal::Revoked).await;
    eventually_refused(&authenticator, 3, noon() + TimeDelta::hours(1), Refusal::Expired).await;
    assert!(authenticator.authenticate(secret(3).reveal(), noon()).await.is_ok());

    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), tasks.join_all()).await.unwrap();
}

#[tokio::test]
async fn revocations_are_followed_in_a_log_that_was_set_back_and_every_token_is_validated_again() {
    let (authority, log) = (Counting::new(valid_until(None)), Log::new());
    let authenticator = authenticator(&authority);
    let (mut tasks, shutdown) = (JoinSet::new(), CancellationToken::new());
    authenticator.follow_revocations(Arc::<Log>::clone(&log), &mut tasks, shutdown.clone());
    for n in 1..=3 {
        assert!(authenticator.authenticate(secret(n).reveal(), noon()).await.is_ok());
    }
    log.append(revoked(secret(1).hash()));
    eventually_refused(&authenticator, 1, noon(), Refusal::Revoked).await;
    log.set_back();
    log.append(revoked(secret(2).hash()));
    eventually_refused(&authenticator, 2, noon(), Refusal::Revoked).await;
    // What was known of the third token was known from a log that is gone.
    let asked = authority.asked();
    assert!(authenticator.authenticate(secret(3).reveal(), noon()).await.is_ok());
    assert_eq!(authority.asked(), asked + 1);
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), tasks.join_all()).await.unwrap();
}
