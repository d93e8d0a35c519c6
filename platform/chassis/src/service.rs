use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::env::ConfigError;
use crate::health::Readiness;
use crate::observe::observe;
use crate::serve::serve;

/// The background tasks of a service. Each ends by itself when the shutdown token is cancelled.
pub type Tasks = JoinSet<()>;

/// A service that has started: its routes, what it needs to serve, and its background tasks.
#[derive(Default)]
pub struct Service {
    /// Every route, internal ones too.
    pub router: Router,
    /// What it needs to serve.
    pub readiness: Readiness,
    /// Its background tasks.
    pub tasks: Tasks,
}

impl Service {
    /// Its router as a process of its own serves it, with health and metrics of requests; and its tasks.
    pub fn open(self, name: &'static str) -> (Router, Tasks) {
        (observe(self.router.merge(self.readiness.router()), name), self.tasks)
    }

    /// Serves it as a process of its own until `shutdown`; returns when its tasks have ended too.
    pub async fn run(self, name: &'static str, listener: TcpListener, shutdown: CancellationToken) {
        let (router, tasks) = self.open(name);
        serve(listener, router, shutdown).await;
        tasks.join_all().await;
    }

    /// Its router behind the gateway of the same process, which names and counts the requests; and its tasks. To be called
    /// through [`crate::Upstream::Local`], which turns a panic into a 500.
    pub fn open_inside(self) -> (Router, Tasks) {
        (self.router.merge(self.readiness.router()), self.tasks)
    }
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something that it needs cannot be reached; names it and says what to do.
    #[error("{what} is unreachable: {reason}")]
    Unreachable {
        /// What is needed, such as a database and its key.
        what: String,
        /// Why it cannot be reached.
        reason: String,
    },
    /// Something that it needs is there and does not fit; says what to do.
    #[error("{0}")]
    Unusable(String),
}

impl StartError {
    /// Something that the service needs cannot be reached.
    pub fn unreachable(what: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Unreachable { what: what.into(), reason: reason.to_string() }
    }
}
