use std::net::SocketAddr;

use chassis::{Env, Service, StartError, Tls};
use clap::ValueEnum;
use gateway::TlsFiles;
use tokio_util::sync::CancellationToken;

use crate::documents;
use crate::failure::Failure;
use crate::output::print;
use crate::signals::{stop_signal, unless_stopped};
use crate::telemetry::{self, Verbosity};
use crate::up::url;

/// The arguments of the command.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  daybook postgres &\n  cp customers/.env.example customers/.env\n  daybook serve customers"
)]
pub(crate) struct Arguments {
    /// Which one
    #[arg(value_name = "SERVICE")]
    service: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// The write side, which owns the log of activities
    Activities,
    /// Customers, sessions and tokens
    Customers,
    /// The read side
    Reports,
    /// The only public door
    Gateway,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Service)?;
    let metrics = chassis::metrics_router();
    let stop = stop_signal()?;
    let alone =
        |name, listen, metrics_listen| Alone { name, listen, metrics_listen, tls: None, stop: stop.clone() };
    match arguments.service {
        Which::Activities => {
            let config = command_service::Config::from_env(&Env::load("command-service")?)?;
            let alone = alone("activities", config.listen, config.metrics_listen);
            Box::pin(alone.serve(metrics, |shutdown| command_service::start(config, shutdown))).await
        }
        Which::Customers => {
            let config = customers::Config::from_env(&Env::load("customers")?)?;
            let alone = alone("customers", config.listen, config.metrics_listen);
            alone.serve(metrics, |shutdown| customers::start(config, shutdown)).await
        }
        Which::Reports => {
            let config = projection_service::Config::from_env(&Env::load("projection-service")?)?;
            let alone = alone("reports", config.listen, config.metrics_listen);
            Box::pin(alone.serve(metrics, |shutdown| projection_service::start(config, shutdown))).await
        }
        Which::Gateway => {
            let mut config = gateway::Config::from_env(&Env::load("gateway")?)?;
            config.openapi = documents::merged()?;
            let mut alone = alone("gateway", config.listen, config.metrics_listen);
            alone.tls = config.tls.as_ref().map(TlsFiles::load).transpose()?;
            alone.serve(metrics, |shutdown| gateway::start(config, shutdown)).await
        }
    }
}

/// A service in a process of its own.
struct Alone {
    name: &'static str,
    listen: SocketAddr,
    metrics_listen: SocketAddr,
    tls: Option<Tls>,
    stop: CancellationToken,
}

impl Alone {
    /// Starts it, says where it is, and serves until `stop`; its tasks end after its door has closed.
    async fn serve<S, F>(self, metrics: axum::Router, start: S) -> Result<(), Failure>
    where
        S: FnOnce(CancellationToken) -> F,
        F: Future<Output = Result<Service, StartError>>,
    {
        let listener = chassis::bind(self.listen).await?;
        let metrics_listener = chassis::bind(self.metrics_listen).await?;
        let (url, metrics_url) = (url(&listener, self.tls.is_some())?, url(&metrics_listener, false)?);
        let shutdown = CancellationToken::new();
        let starting = async { Ok(start(shutdown.clone()).await?) };
        let (router, mut tasks) = unless_stopped(starting, &self.stop).await?.open(self.name);
        let name = self.name;
        print(format_args!("{name} is ready.\n\nURL       {url}\nMetrics   {metrics_url}/metrics"))?;
        tracing::info!(%url, "{} serves", self.name);

        let serving_metrics = tokio::spawn(chassis::serve(metrics_listener, metrics, self.stop.clone()));
        let mut serving = tokio::spawn(chassis::serve_tls(listener, self.tls, router, self.stop.clone()));
        let broken = loop {
            tokio::select! {
                _ = &mut serving => break None,
                Some(ended) = tasks.join_next() => if let Err(error) = ended { break Some(error) },
            }
        };
        tracing::info!("{} stops", self.name);
        self.stop.cancel();
        shutdown.cancel();
        if let Some(error) = broken {
            return Err(Failure::Failed(format!("a task of {} broke: {error}", self.name)));
        }
        let _ = serving_metrics.await;
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| Failure::Failed(format!("a task of {} broke: {error}", self.name)))?;
        }
        Ok(())
    }
}
