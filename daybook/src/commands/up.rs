use std::future::pending;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chassis::Listen;
use gateway::TlsFiles;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::composition::{self, Composition};
use crate::demo;
use crate::failure::Failure;
use crate::folder::{self, Addresses, DataFolder};
use crate::output::print;
use crate::signals::{stop_signal, unless_stopped};
use crate::telemetry::{self, Verbosity};
use crate::up::{Account, Banner, Door, Listeners, Login, Storage};

/// Everything has stopped by then, the database last.
const STOP_LIMIT: Duration = Duration::from_secs(9);
/// How long the services' tasks may take to finish what was accepted.
const TASKS_LIMIT: Duration = Duration::from_secs(2);

/// The arguments of the command.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  daybook up\n  daybook up --demo --listen 0.0.0.0:8080\n  \
    daybook up --listen :443 --tls-cert cert.pem --tls-key key.pem\n  \
    daybook up --database-url postgres://postgres:secret@db.example.com/postgres")]
pub(crate) struct Arguments {
    /// Sign up a demo customer and record a month of believable activity; a second time adds nothing twice
    #[arg(long)]
    demo: bool,
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = folder::DEFAULT)]
    data_dir: PathBuf,
    /// The address of the public door: 8080 is a port of this machine alone, :8080 one of every address, 0 any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: Listen,
    /// Speak HTTPS: the certificate, with those of its issuers, as a PEM file; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, as a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Use this PostgreSQL server instead of the embedded one: as a superuser or a role that may create databases
    ///
    /// The databases `daybook_activities`, `daybook_customers` and `daybook_reports` are made if they do not exist.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Carry the logs over this Pulsar broker instead of the embedded bus: pulsar://HOST:PORT
    #[arg(long, value_name = "URL")]
    pulsar: Option<String>,
    /// The broker's administration, by which missing topics are made: http://HOST:PORT
    #[arg(long, value_name = "URL", requires = "pulsar")]
    pulsar_admin: Option<String>,
    /// The address at which metrics are read [default: 127.0.0.1:9100, or any free port if that is taken]
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<Listen>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Up)?;
    // Before anything is measured.
    let metrics = chassis::metrics_router();
    let stop = stop_signal()?;
    let folder = DataFolder::at(&arguments.data_dir);
    // The quickest to fail comes first.
    let tls = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key }.load()).transpose()?;
    let metrics_listen = arguments.metrics_listen.map(|listen| listen.0);
    let listeners = Listeners::open(&folder, arguments.listen.0, metrics_listen).await?;
    let (url, metrics_url) = listeners.urls(tls.is_some())?;
    let opening = Storage::open(&folder, arguments.database_url.as_deref());
    let mut storage = unless_stopped(opening, &stop).await?;
    let databases = storage.databases().clone();
    let addresses = Addresses {
        pid: std::process::id(),
        url: Some(url.clone()),
        metrics_url: Some(metrics_url),
        databases,
    };
    let (closing, shutdown) = (CancellationToken::new(), CancellationToken::new());
    let bus =
        [("DAYBOOK_PULSAR_URL", &arguments.pulsar), ("DAYBOOK_PULSAR_ADMIN_URL", &arguments.pulsar_admin)];
    let bus = bus.into_iter().filter_map(|(key, url)| Some((key.to_owned(), url.clone()?)));
    let env = composition::env(storage.databases(), &url, std::env::vars().chain(bus));
    let starting = Composition::start(&env, closing.clone(), shutdown.clone());
    let mut composition = match Box::pin(unless_stopped(starting, &stop)).await {
        Ok(composition) => composition,
        Err(failure) => {
            storage.stop(STOP_LIMIT).await;
            return Err(failure);
        }
    };

    // Other commands find a running system by them.
    if let Err(failure) = addresses.leave(&folder) {
        shutdown.cancel();
        composition.ended(TASKS_LIMIT).await;
        storage.stop(STOP_LIMIT).await;
        return Err(failure);
    }
    let door = Door::new(composition.door.clone());
    let mut serving = JoinSet::new();
    serving.spawn(chassis::serve(listeners.metrics, metrics, closing.clone()));
    serving.spawn(chassis::serve_tls(listeners.door, tls, composition.door.clone(), closing.clone()));
    let outcome = tokio::select! {
        () = stop.cancelled() => Ok(()),
        failure = storage.lost() => Err(failure),
        failure = composition.broken() => Err(failure),
        failure = attend(&door, &folder, &addresses, arguments.demo) => Err(failure),
    };

    let began = Instant::now();
    tracing::info!("stopping");
    closing.cancel();
    serving.join_all().await;
    // The door is closed, so nothing new comes in: what was accepted is finished, and then the database ends.
    shutdown.cancel();
    composition.ended(TASKS_LIMIT).await;
    Addresses::remove(&folder);
    storage.stop(STOP_LIMIT.saturating_sub(began.elapsed())).await;
    outcome
}

/// Makes sure that there is a login, says so, and records the demo; then there is nothing to do but to serve.
async fn attend(door: &Door, folder: &DataFolder, addresses: &Addresses, with_demo: bool) -> Failure {
    let demo = match welcome(door, folder, addresses, with_demo).await {
        Ok(demo) => demo,
        Err(failure) => return failure,
    };
    if let Some(login) = demo
        && let Err(failure) = demo::record(door, folder, login).await
    {
        tracing::error!("the demo is not complete: {failure}; the next `up --demo` goes on with it");
    }
    pending().await
}

/// Returns the demo's login.
async fn welcome(
    door: &Door,
    folder: &DataFolder,
    addresses: &Addresses,
    with_demo: bool,
) -> Result<Option<Login>, Failure> {
    let owner = Account::Owner.ensure(door, folder).await?;
    let demo = if with_demo { Account::Demo.ensure(door, folder).await? } else { None };
    let banner = Banner {
        url: addresses.url.as_deref().unwrap_or_default(),
        metrics_url: addresses.metrics_url.as_deref().unwrap_or_default(),
        data: &folder.shown(),
        login: demo.as_ref().or(owner.as_ref()),
    };
    print(banner)?;
    Ok(demo)
}
