//! What a broker between the services costs.

mod bare;
mod carried;
mod sample;

use std::time::Duration;

use chassis::Env;
use embedded_postgres::{Options, Server};
use event_bus::pulsar::{PulsarConfig, PulsarPublisher};
use event_bus::{BusError, EventPublisher as _, Feed};
use event_store::EventLog;
use uuid::Uuid;

use super::client::apart;
use super::freshness;
use super::house::House;
use super::ingest::{FOLD_DELAY_MS, build, say};
use super::median;
use super::owner::Owner;
use super::report::{Figure, Report, Target};
use crate::failure::Failure;

/// Ours and the bare client take turns so often; the median counts.
const ROUNDS: usize = 3;
const FRESHNESS_PER_S: u32 = 2_000;
const FRESHNESS_SLACK_MS: f64 = 500.0;
/// A broker delivers to a new Failover consumer after a second: that is a start, and not what is measured.
const WARM_UP: Duration = Duration::from_secs(3);
const WARM_UP_PER_S: u32 = 100;
const RELAY_MICROS_MAX: f64 = 10.0;
/// The shortest that a broker keeps what was acknowledged.
const RETENTION_H: u32 = 1;

/// The broker that is measured with.
pub(super) struct Broker {
    settings: Vec<(String, String)>,
    config: PulsarConfig,
}

/// Events a second, and microseconds of a thread's time for each.
#[derive(Clone, Copy)]
struct Pace {
    per_s: f64,
    micros: f64,
}

impl Broker {
    /// The broker at these addresses; how to get in is in the environment, as for the services.
    pub(super) fn named(url: &str, admin_url: &str) -> Result<Self, Failure> {
        let keys = ["DAYBOOK_PULSAR_TOKEN", "DAYBOOK_PULSAR_TLS_CA"];
        let inherited = keys.into_iter().filter_map(|key| Some((key.to_owned(), std::env::var(key).ok()?)));
        let named = [("DAYBOOK_PULSAR_URL", url), ("DAYBOOK_PULSAR_ADMIN_URL", admin_url)];
        let named = named.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings: Vec<_> = inherited.chain(named).collect();
        let config = PulsarConfig::from_env(&Env::from_pairs(settings.clone()))?;
        let config = config.ok_or_else(|| Failure::Usage("--pulsar is empty".to_owned()))?;
        Ok(Self { settings, config: PulsarConfig { retention_h: RETENTION_H, ..config } })
    }

    /// The same broker, and a namespace of its own.
    fn fresh(&self) -> PulsarConfig {
        PulsarConfig { namespace: fresh_namespace(), ..self.config.clone() }
    }

    /// The settings of services that use it, in a namespace of their own.
    fn fresh_settings(&self) -> Vec<(String, String)> {
        let own = [
            ("DAYBOOK_PULSAR_NAMESPACE".to_owned(), fresh_namespace()),
            ("DAYBOOK_PULSAR_RETENTION_H".to_owned(), RETENTION_H.to_string()),
        ];
        self.settings.iter().cloned().chain(own).collect()
    }
}

fn fresh_namespace() -> String {
    format!("daybook-bench-{}", Uuid::now_v7().simple())
}

/// Measures everything in one run.
pub(super) async fn measure(broker: &Broker, events: usize, lasts: Duration) -> Result<Report, Failure> {
    // The quickest to fail comes first.
    event_bus::pulsar::connect(&broker.config).await.map_err(bus_failure)?;
    let dir = tempfile::Builder::new().prefix("daybook-bench-").tempdir();
    let dir = dir.map_err(Failure::io("cannot make a temporary folder"))?;
    let server = Server::start(Options::new(dir.path().join("data"))).await?;
    let figures = measure_on(&server, broker, events, lasts).await;
    server.stop().await?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let with = vec![
        format!(
            "{cores} cores for clients, Daybook and PostgreSQL {} together; the broker is at {}",
            embedded_postgres::VERSION,
            broker.config.url
        ),
        format!(
            "{} build; {events} events a round, the median of {ROUNDS} rounds; freshness for {} s",
            build(),
            lasts.as_secs()
        ),
    ];
    Ok(Report { bench: "bus", with, figures: figures? })
}

async fn measure_on(
    server: &Server,
    broker: &Broker,
    events: usize,
    lasts: Duration,
) -> Result<Vec<Figure>, Failure> {
    say("from an acknowledgement to the report, through the broker");
    let house = House::start_with(server, "fresh", broker.fresh_settings()).await?;
    let address = house.address;
    let fresh = apart(async move {
        freshness::measure_at(
            WARM_UP_PER_S.into(),
            &Owner::sign_up(address).await?.program().await?,
            WARM_UP,
        )
        .await?;
        freshness::measure_at(FRESHNESS_PER_S.into(), &Owner::sign_up(address).await?.program().await?, lasts)
            .await
    });
    let fresh = fresh.await;
    house.stop().await;
    let fresh = fresh?;

    let sample = sample::Sample::record(server, events).await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        say(&format!("round {round} of {ROUNDS}: a bare producer and consumer"));
        bare.push(Box::pin(bare::measure(broker.fresh(), &sample)).await?);
        say(&format!("round {round} of {ROUNDS}: relay and subscription"));
        ours.push(carried::measure(broker.fresh(), &sample).await?);
    }
    let [ours, bare] = [ours, bare].map(|paces: Vec<Pace>| Pace {
        per_s: median(&mut paces.iter().map(|pace| pace.per_s).collect::<Vec<_>>()),
        micros: median(&mut paces.iter().map(|pace| pace.micros).collect::<Vec<_>>()),
    });
    Ok(figures(ours, bare, &fresh))
}

fn figures(ours: Pace, bare: Pace, fresh: &freshness::Outcome) -> Vec<Figure> {
    let processor = ("processor time of the relay", ours.micros);
    vec![
        Figure::new(
            ("log to subscription, end to end", ours.per_s),
            "events/s",
            ("a bare producer and consumer", bare.per_s),
            Target::AtLeast(0.5),
        ),
        Figure::new(processor, "µs/event", ("as intended", RELAY_MICROS_MAX), Target::AtMost(1.0)),
        Figure::new(processor, "µs/event", ("the bare producer", bare.micros), Target::Any),
        Figure::new(
            ("acknowledged to visible, p99 at 2,000/s", fresh.p99),
            "ms",
            ("fold delay + 500 ms", FOLD_DELAY_MS + FRESHNESS_SLACK_MS),
            Target::AtMost(1.0),
        ),
        Figure::new(
            ("activities sent while that was measured", fresh.sent_per_s),
            "activities/s",
            ("as intended", f64::from(FRESHNESS_PER_S)),
            Target::AtLeast(0.95),
        ),
    ]
}

/// A publisher that is connected and has made its topic.
async fn publisher(config: &PulsarConfig, log: &EventLog) -> Result<PulsarPublisher, Failure> {
    let publisher = PulsarPublisher::new(config.clone(), Feed::Activities, log.clone());
    publisher.prepare().await.map_err(bus_failure)?;
    Ok(publisher)
}

/// Publishes the first event of every partition, so that every producer is connected.
async fn publish_first(publisher: &PulsarPublisher, log: &EventLog) -> Result<(), Failure> {
    for partition in log.partitions().all() {
        publisher.publish(partition, 0, 1).await.map_err(bus_failure)?;
    }
    Ok(())
}

fn bus_failure(error: BusError) -> Failure {
    match error {
        BusError::Broker(_) => Failure::missing("the Pulsar broker (--pulsar, --pulsar-admin)", error),
        other => Failure::Failed(other.to_string()),
    }
}
