use std::sync::Arc;
use std::time::Duration;

use chassis::Outage;
use chrono::Utc;
use domain::Partition;
use domain::customer::CustomerEvent;
use domain::token::TokenEvent;
use event_bus::{BusError, EventSubscription};
use event_store::RecordedEvent;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Authenticator;

/// The log of customers has one partition.
const PARTITION: Partition = Partition(0);
const FETCH_EVENTS_MAX: usize = 1_000;
/// How far before the head of the log the first read begins: the authority's tables may lag behind the log a little, and
/// the events that they lack must restrict its answers.
const REREAD_EVENTS: i64 = 1_000;
/// After so long without an announcement the log is read all the same, which also shows whether it can be reached.
const QUIET_MAX: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How far the log was followed.
#[derive(Clone, Copy)]
struct LogPosition {
    /// The last position that was read, or skipped at the beginning.
    after: i64,
    /// The event at that position, if it was read.
    last: Option<Uuid>,
}

impl Authenticator {
    /// Follows the log of customers from its head until `shutdown`, and refuses the tokens that it revokes. After an
    /// interruption it reads on from where it was, so that nothing is missed; meanwhile cached tokens are validated again.
    /// It also reports to the authority, in the background, when tokens were used.
    pub fn follow_revocations(
        &self,
        subscription: Arc<dyn EventSubscription>,
        tasks: &mut JoinSet<()>,
        shutdown: CancellationToken,
    ) {
        tasks.spawn(self.clone().report_uses(shutdown.clone()));
        let this = self.clone();
        tasks.spawn(async move {
            shutdown.run_until_cancelled_owned(this.follow(&*subscription)).await;
        });
    }

    async fn follow(&self, subscription: &dyn EventSubscription) {
        let mut reached = None;
        let mut outage = Outage::default();
        loop {
            match self.read_on(subscription, &mut reached).await {
                Ok(()) => {
                    self.feed().set_connected();
                    outage.ends();
                }
                Err(error) => {
                    self.feed().set_disconnected(Utc::now());
                    if outage.begins() {
                        tracing::warn!(%error, "revocations are out of reach; cached tokens go on working");
                    }
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    async fn read_on(
        &self,
        subscription: &dyn EventSubscription,
        reached: &mut Option<LogPosition>,
    ) -> Result<(), BusError> {
        let waited = tokio::time::timeout(QUIET_MAX, subscription.published()).await;
        let mut at = match (*reached, waited) {
            (Some(at), Ok(published)) => published.map(|_| at)?,
            (Some(at), Err(_)) => at,
            (None, Ok(published)) => {
                let here = published?.into_iter().filter(|published| published.partition == PARTITION);
                let head = here.map(|published| published.position).max().unwrap_or(0);
                LogPosition { after: (head - REREAD_EVENTS).max(0), last: None }
            }
            (None, Err(_)) => return Err(BusError::Broker(format!("no announcement within {QUIET_MAX:?}"))),
        };
        loop {
            // Beginning with the last event that was read, which shows whether this is still the same log.
            let known = i64::from(at.last.is_some());
            let fetching = subscription.fetch(PARTITION, at.after - known, FETCH_EVENTS_MAX);
            let events = tokio::time::timeout(FETCH_TIMEOUT, fetching).await;
            let mut events = events
                .unwrap_or_else(|_| Err(BusError::Broker(format!("no events within {FETCH_TIMEOUT:?}"))))?
                .into_iter();
            if at.last.is_some() && events.next().map(|event| event.event_id) != at.last {
                *reached = None;
                self.forget();
                let reason =
                    "the log of customers was set back or is another one; every token is validated again";
                return Err(BusError::Diverged(reason.to_owned()));
            }
            let before = at.after;
            for event in events {
                self.apply(&event).await;
                at = LogPosition { after: event.position, last: Some(event.event_id) };
            }
            *reached = Some(at);
            if at.after == before {
                return Ok(());
            }
            subscription.acknowledge(PARTITION, at.after).await?;
        }
    }

    async fn apply(&self, event: &RecordedEvent) {
        match event.aggregate_type.as_str() {
            "token" => self.apply_token_event(event).await,
            "customer" => {
                if let Ok(CustomerEvent::TimeZoneChanged(changed)) = event.decode() {
                    self.move_to(event.customer_id, changed.time_zone).await;
                }
            }
            _ => {}
        }
    }

    async fn apply_token_event(&self, event: &RecordedEvent) {
        match event.decode::<TokenEvent>() {
            Ok(TokenEvent::TokenRevoked(revoked)) => self.revoke(&revoked.sha256).await,
            Ok(TokenEvent::TokenRotated(rotated)) => self.end(&rotated.sha256, rotated.ends_at).await,
            Ok(TokenEvent::TokenIssued(_)) => {}
            Err(error) => {
                tracing::error!(%error, position = event.position, "an event of a token cannot be read and is skipped");
            }
        }
    }
}
