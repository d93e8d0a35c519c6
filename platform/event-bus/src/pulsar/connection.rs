use std::time::{Duration, Instant};

use pulsar::{Authentication, ConnectionRetryOptions, OperationRetryOptions, Pulsar, TokioExecutor};
use tokio::sync::Mutex;

use super::PulsarConfig;
use super::topic::Topic;
use crate::BusError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Any question to the broker.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection without a reply to a ping for so long is broken.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Frames that may wait for the connection; a sender beyond it waits.
const OUTBOUND_FRAMES: usize = 1_000;
/// A request so soon after a failed attempt gets the same error: partitions share a connection, and fail together.
const FAILURE_TTL: Duration = Duration::from_millis(200);

/// The connection to the broker, made when it is needed, and again after it was found broken. The topic is there
/// when it is made.
pub(crate) struct Connection {
    pub(crate) config: PulsarConfig,
    pub(crate) topic: Topic,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    generation: u64,
    client: Option<Pulsar<TokioExecutor>>,
    failed: Option<(Instant, BusError)>,
}

impl Connection {
    pub(crate) fn new(config: PulsarConfig, topic: Topic) -> Self {
        Self { config, topic, state: Mutex::default() }
    }

    /// The client, and which one it is.
    pub(crate) async fn client(&self) -> Result<(Pulsar<TokioExecutor>, u64), BusError> {
        let mut state = self.state.lock().await;
        if let Some(client) = &state.client {
            return Ok((client.clone(), state.generation));
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < FAILURE_TTL
        {
            return Err(error.again());
        }
        // Boxed, like every future of the client's: they are large, and what awaits them would be too.
        let connecting = Box::pin(async {
            let client = connect(&self.config).await?;
            Box::pin(self.topic.ensure(&self.config, &client)).await?;
            Ok(client)
        });
        let limit = 2 * OPERATION_TIMEOUT;
        let connected = tokio::time::timeout(limit, connecting).await;
        match connected.unwrap_or_else(|_| Err(BusError::Broker(format!("no connection within {limit:?}")))) {
            Ok(client) => {
                state.generation += 1;
                state.failed = None;
                Ok((state.client.insert(client).clone(), state.generation))
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.again()));
                Err(error)
            }
        }
    }

    /// The client of this generation is broken, or its topic is gone: the next one who asks gets a new one.
    pub(crate) async fn forget(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation {
            state.client = None;
        }
    }
}

/// A client of the broker, as everything here uses it.
///
/// # Errors
/// [`BusError::Refused`] for authorities that cannot be read, [`BusError::Broker`] if it cannot be reached.
pub async fn connect(config: &PulsarConfig) -> Result<Pulsar<TokioExecutor>, BusError> {
    let mut builder = Pulsar::builder(config.url.as_str(), TokioExecutor)
        .with_outbound_channel_size(OUTBOUND_FRAMES)
        // The users of the connection retry, and count it; the client must not retry unseen.
        .with_connection_retry_options(ConnectionRetryOptions {
            max_retries: 0,
            connection_timeout: CONNECT_TIMEOUT,
            keep_alive: KEEP_ALIVE,
            ..ConnectionRetryOptions::default()
        })
        .with_operation_retry_options(OperationRetryOptions {
            operation_timeout: OPERATION_TIMEOUT,
            retry_delay: Duration::from_millis(500),
            max_retries: Some(2),
        });
    if let Some(token) = &config.token {
        builder =
            builder.with_auth(Authentication { name: "token".to_owned(), data: token.clone().into_bytes() });
    }
    if let Some(ca) = &config.tls_ca {
        builder = builder.with_certificate_chain_file(ca).map_err(|error| {
            BusError::Refused(format!("{} (DAYBOOK_PULSAR_TLS_CA) cannot be read: {error}", ca.display()))
        })?;
    }
    builder.build().await.map_err(|error| BusError::Broker(format!("{}: {error}", config.url)))
}
