//! Edges as they run in production, but for the network: each a gateway with a write side and a cache of its own, that
//! follows the log of customers by itself. They share one customers, whose validations are counted.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use access::{InternalCall, ValidateToken};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use chassis::{Env, InternalKey, Upstream};
use embedded_postgres::Server;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::bench::house::{databases, unlimited_rates};
use crate::composition::{decided, enter, open};
use crate::failure::Failure;

const END_LIMIT: Duration = Duration::from_secs(10);

/// All of them.
pub(super) struct Edges {
    pub(super) doors: Vec<SocketAddr>,
    /// Customers, as edges ask it.
    pub(super) customers: Upstream,
    pub(super) key: InternalKey,
    validations: Arc<AtomicU64>,
    tasks: JoinSet<Result<(), String>>,
    serving: Vec<JoinHandle<()>>,
    closing: CancellationToken,
    shutdown: CancellationToken,
}

impl Edges {
    /// Starts so many on new databases.
    pub(super) async fn start(server: &Server, edges: usize) -> Result<Self, Failure> {
        let databases = databases(server, "token").await?;
        // Of the database's connections each edge takes its part.
        let few = [("DAYBOOK_ACTIVITIES_CONNECTIONS_MAX", "8")];
        let few = few.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let env = Env::from_pairs(decided(&databases).chain(unlimited_rates()).chain(few));
        let (closing, shutdown) = (CancellationToken::new(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let config = customers::Config::from_env(&env)?;
        let key = config.internal_key.clone();
        let service = customers::start(config, shutdown.clone()).await?;
        let validations = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&validations);
        let counted =
            enter("customers", service, &mut tasks).layer(from_fn(move |request: Request, next: Next| {
                if request.uri().path() == ValidateToken::PATH {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                next.run(request)
            }));
        let customers = Upstream::Local(counted);
        let (mut doors, mut serving) = (Vec::new(), Vec::new());
        for _ in 0..edges {
            let mut config = command_service::Config::from_env(&env)?;
            config.customers = customers.clone();
            let activities = command_service::start(config, shutdown.clone()).await?;
            let mut config = gateway::Config::from_env(&env)?;
            config.activities = Upstream::Local(enter("activities", activities, &mut tasks));
            config.customers = customers.clone();
            let door = open("gateway", gateway::start(config, closing.clone()).await?, &mut tasks);
            let listener = chassis::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
            doors.push(listener.local_addr().map_err(Failure::io("cannot find the address of a listener"))?);
            serving.push(tokio::spawn(chassis::serve(listener, door, closing.clone())));
        }
        Ok(Self { doors, customers, key, validations, tasks, serving, closing, shutdown })
    }

    /// Where the first edge is.
    pub(super) fn door(&self) -> Result<SocketAddr, Failure> {
        self.doors.first().copied().ok_or_else(|| Failure::Failed("there is no edge".to_owned()))
    }

    /// How often customers has been asked about a token so far.
    pub(super) fn validations(&self) -> u64 {
        self.validations.load(Ordering::Relaxed)
    }

    pub(super) async fn stop(mut self) {
        self.closing.cancel();
        for serving in self.serving {
            // It ends within its own limits.
            let _ = serving.await;
        }
        self.shutdown.cancel();
        let ending = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(END_LIMIT, ending).await;
    }
}
