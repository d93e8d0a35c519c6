use std::sync::Arc;

use chassis::{ConfigError, Env, StartError, Tasks};
use event_store::EventLog;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::pulsar::{PulsarConfig, PulsarPublisher, PulsarSubscription};
use crate::{
    BusError, EmbeddedPublisher, EmbeddedSubscription, EventPublisher, EventSubscription, Feed, Group, Relay,
};

/// Which bus carries the logs: the one place that chooses.
#[derive(Clone, Debug, Default)]
pub enum Bus {
    /// The log is the queue.
    #[default]
    Embedded,
    /// A broker carries it.
    Pulsar(Box<PulsarConfig>),
}

impl Bus {
    /// Pulsar if `DAYBOOK_PULSAR_URL` is set, otherwise embedded.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(PulsarConfig::from_env(env)?.map_or(Self::Embedded, Self::pulsar))
    }

    /// A broker carries it.
    #[must_use]
    pub fn pulsar(config: PulsarConfig) -> Self {
        Self::Pulsar(Box::new(config))
    }

    /// Starts the relay of a log, after making sure that the bus can carry it.
    ///
    /// # Errors
    /// [`StartError::Unusable`] if an operator must do something first; `what` names the log.
    pub async fn start_relay(
        &self,
        (what, feed): (&str, Feed),
        log: &EventLog,
        commits: watch::Receiver<()>,
        tasks: &mut Tasks,
        shutdown: CancellationToken,
    ) -> Result<(), StartError> {
        let refused = |error| StartError::Unusable(format!("the bus cannot carry {what}: {error}"));
        self.prepare(feed, log).await.map_err(refused)?;
        Relay::start(log.clone(), self.publisher(feed, log.clone()), commits, tasks, shutdown);
        Ok(())
    }

    /// Makes sure that the bus can carry this log. A broker that is away is no error: the log keeps what waits.
    ///
    /// # Errors
    /// [`BusError::Refused`] if an operator must do something first, as for a topic with another number of partitions.
    pub async fn prepare(&self, feed: Feed, log: &EventLog) -> Result<(), BusError> {
        let Self::Pulsar(config) = self else { return Ok(()) };
        match PulsarPublisher::new(PulsarConfig::clone(config), feed, log.clone()).prepare().await {
            Err(error @ BusError::Refused(_)) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the broker is away; the log keeps what waits");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// What a relay publishes a log's events through.
    #[must_use]
    pub fn publisher(&self, feed: Feed, log: EventLog) -> Arc<dyn EventPublisher> {
        match self {
            Self::Embedded => Arc::new(EmbeddedPublisher::new(log)),
            Self::Pulsar(config) => Arc::new(PulsarPublisher::new(PulsarConfig::clone(config), feed, log)),
        }
    }

    /// What a consumer reads a log's events through.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn subscription(&self, feed: Feed, log: EventLog, group: &Group) -> Arc<dyn EventSubscription> {
        match self {
            Self::Embedded => Arc::new(EmbeddedSubscription::new(log)),
            Self::Pulsar(config) => {
                Arc::new(PulsarSubscription::new(PulsarConfig::clone(config), feed, log, group))
            }
        }
    }
}
