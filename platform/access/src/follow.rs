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
/// How far before the head the following begins: the authority's tables may trail its log a little, and an answer from
/// them must meet the marks of what they do not show yet.
const REREAD_EVENTS: i64 = 1_000;
/// Without an announcement for so long, the log is read all the same; that also finds out that it is out of reach.
const QUIET_MAX: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How far the log was heard.
#[derive(Clone, Copy)]
struct Place {
    /// The last position that was heard, or was passed over at the beginning.
    after: i64,
    /// The event there, if it was heard.
    last: Option<Uuid>,
}

impl Authenticator {
    /// Follows customers' log from its head, until `shutdown`: what is revoked there is refused here. Reads on from where
    /// it was after an interruption, so nothing is missed; what is served in the meantime is validated again. The other
    /// way, it tells the authority in the background when tokens were used.
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
        let mut place = None;
        let mut outage = Outage::default();
        loop {
            match self.read_on(subscription, &mut place).await {
                Ok(()) => {
                    self.link().connected();
                    outage.ends();
                }
                Err(error) => {
                    self.link().cut_off(Utc::now());
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
        place: &mut Option<Place>,
    ) -> Result<(), BusError> {
        let waited = tokio::time::timeout(QUIET_MAX, subscription.published()).await;
        let mut at = match (*place, waited) {
            (Some(at), Ok(published)) => published.map(|_| at)?,
            (Some(at), Err(_)) => at,
            (None, Ok(published)) => {
                let here = published?.into_iter().filter(|published| published.partition == PARTITION);
                let head = here.map(|published| published.position).max().unwrap_or(0);
                Place { after: (head - REREAD_EVENTS).max(0), last: None }
            }
            (None, Err(_)) => return Err(BusError::Broker(format!("no announcement within {QUIET_MAX:?}"))),
        };
        loop {
            // Beginning with the last one that was heard, which tells whether this is still the same log.
            let known = i64::from(at.last.is_some());
            let fetching = subscription.fetch(PARTITION, at.after - known, FETCH_EVENTS_MAX);
            let events = tokio::time::timeout(FETCH_TIMEOUT, fetching).await;
            let mut events = events
                .unwrap_or_else(|_| Err(BusError::Broker(format!("no events within {FETCH_TIMEOUT:?}"))))?
                .into_iter();
            if at.last.is_some() && events.next().map(|event| event.event_id) != at.last {
                *place = None;
                self.forget();
                let reason =
                    "the log of customers was set back or is another one; every token is validated again";
                return Err(BusError::Diverged(reason.to_owned()));
            }
            let before = at.after;
            for event in events {
                self.hear(&event).await;
                at = Place { after: event.position, last: Some(event.event_id) };
            }
            *place = Some(at);
            if at.after == before {
                return Ok(());
            }
            subscription.acknowledge(PARTITION, at.after).await?;
        }
    }

    async fn hear(&self, event: &RecordedEvent) {
        match event.aggregate_type.as_str() {
            "token" => self.hear_of_token(event).await,
            "customer" => {
                if let Ok(CustomerEvent::TimeZoneChanged(changed)) = event.decode() {
                    self.move_to(event.customer_id, changed.time_zone).await;
                }
            }
            _ => {}
        }
    }

    async fn hear_of_token(&self, event: &RecordedEvent) {
        match event.decode::<TokenEvent>() {
            Ok(TokenEvent::TokenRevoked(revoked)) => self.revoke(&revoked.sha256).await,
            Ok(TokenEvent::TokenRotated(rotated)) => self.end(&rotated.sha256, rotated.ends_at).await,
            Ok(TokenEvent::TokenIssued(_)) => {}
            Err(error) => {
                tracing::error!(%error, position = event.position, "an event of a token cannot be read and is passed over");
            }
        }
    }
}
