use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use chassis::{Env, Service, Tasks, Upstream};
use http::StatusCode;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::databases::Databases;
use crate::documents;
use crate::failure::Failure;

/// What links for people begin with.
const PUBLIC_URL: &str = "DAYBOOK_PUBLIC_URL";

/// All services in one process. They call each other through their HTTP interfaces, without a network between.
pub(crate) struct Composition {
    /// The router of the gateway.
    pub(crate) door: Router,
    /// Reports, for the services that are started before it and call it.
    _reports: Arc<OnceLock<Upstream>>,
    tasks: JoinSet<Result<(), String>>,
}

impl Composition {
    /// Starts every service on its database, reached at `url`. `closing` is cancelled when the gateway closes, `shutdown`
    /// when everything ends.
    ///
    /// # Errors
    /// Why one of them did not start.
    pub(crate) async fn start(
        env: &Env,
        closing: CancellationToken,
        shutdown: CancellationToken,
    ) -> Result<Self, Failure> {
        let mut tasks = JoinSet::new();

        let config = customers::Config::from_env(env)?;
        let customers = customers::start(config, shutdown.clone()).await?;
        let customers = Upstream::Local(enter("customers", customers, &mut tasks));

        let (reports_later, place_of_reports) = later();
        let mut config = command_service::Config::from_env(env)?;
        (config.customers, config.reports) = (customers.clone(), reports_later);
        let activities = command_service::start(config, shutdown.clone()).await?;
        let activities = Upstream::Local(enter("activities", activities, &mut tasks));

        let mut config = projection_service::Config::from_env(env)?;
        (config.activities, config.customers) = (activities.clone(), customers.clone());
        let reports = projection_service::start(config, shutdown).await?;
        let reports = Upstream::Local(enter("reports", reports, &mut tasks));
        let _ = place_of_reports.set(reports.clone());

        let mut config = gateway::Config::from_env(env)?;
        (config.activities, config.customers, config.reports) = (activities, customers, reports);
        config.openapi = documents::merged()?;
        let door = open("gateway", gateway::start(config, closing).await?, &mut tasks);
        Ok(Self { door, _reports: place_of_reports, tasks })
    }

    /// Waits until a task of a service ends by a panic, and returns which. Cancel safe.
    pub(crate) async fn broken(&mut self) -> Failure {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Err(reason))) => return Failure::Failed(reason),
                Some(Err(error)) => return Failure::Failed(format!("a service broke: {error}")),
                Some(Ok(Ok(()))) => {}
                None => pending().await,
            }
        }
    }

    /// Waits until everything has ended after `shutdown`, but no longer than `limit`.
    pub(crate) async fn ended(mut self, limit: Duration) {
        let ending = async {
            while let Some(outcome) = self.tasks.join_next().await {
                if let Ok(Err(reason)) = outcome {
                    tracing::error!("{reason}");
                }
            }
        };
        if tokio::time::timeout(limit, ending).await.is_err() {
            tracing::warn!(
                "some tasks did not end within {limit:?} and were broken off; nothing acknowledged is lost"
            );
        }
    }
}

/// A service that starts after one that calls it, and the place where it is put then. Only the owner of that place
/// keeps the service: two that call each other would keep each other for ever.
fn later() -> (Upstream, Arc<OnceLock<Upstream>>) {
    let place = Arc::new(OnceLock::<Upstream>::new());
    let known = Arc::downgrade(&place);
    let answer = move |request: Request| {
        let service = known.upgrade().and_then(|place| place.get().cloned());
        async move {
            let answer = match service {
                Some(service) => service.call(request).await.ok(),
                None => None,
            };
            answer.unwrap_or_else(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
    };
    (Upstream::Local(Router::new().fallback(answer)), place)
}

/// The router of a service behind the gateway; its tasks are watched in `all`.
pub(crate) fn enter(name: &'static str, service: Service, all: &mut JoinSet<Result<(), String>>) -> Router {
    let (router, tasks) = service.open_inside();
    all.spawn(watch(name, tasks));
    router
}

/// The router of the gateway; its tasks are watched in `all`.
pub(crate) fn open(name: &'static str, service: Service, all: &mut JoinSet<Result<(), String>>) -> Router {
    let (router, tasks) = service.open(name);
    all.spawn(watch(name, tasks));
    router
}

async fn watch(name: &'static str, mut tasks: Tasks) -> Result<(), String> {
    while let Some(outcome) = tasks.join_next().await {
        outcome.map_err(|error| format!("a task of {name} broke: {error}"))?;
    }
    Ok(())
}

/// What the services read: their defaults, over them where we listen, over that `DAYBOOK_…` of this process'
/// environment and what else was asked for, over them what one process decides.
pub(crate) fn env(
    databases: &Databases,
    url: &str,
    inherited: impl Iterator<Item = (String, String)>,
) -> Env {
    // Only an operator with a proxy in front of the gateway knows another address.
    let reached = std::iter::once((PUBLIC_URL.to_owned(), url.to_owned()));
    let inherited = inherited.filter(|(key, value)| key.starts_with("DAYBOOK_") && !value.is_empty());
    Env::from_pairs(reached.chain(inherited).chain(decided(databases)))
}

/// What one process decides: where the databases are, and a key that nothing outside needs to know.
pub(crate) fn decided(databases: &Databases) -> impl Iterator<Item = (String, String)> {
    let decided = [
        ("DAYBOOK_ACTIVITIES_DATABASE_URL", databases.activities.clone()),
        ("DAYBOOK_CUSTOMERS_DATABASE_URL", databases.customers.clone()),
        ("DAYBOOK_REPORTS_DATABASE_URL", databases.reports.clone()),
        ("DAYBOOK_INTERNAL_KEY", format!("{:032x}", rand::random::<u128>())),
        ("DAYBOOK_MIGRATE", "true".to_owned()),
    ];
    decided.into_iter().map(|(key, value)| (key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_breaks_is_noticed_and_one_that_ends_is_not() {
        let mut all = JoinSet::new();
        let mut tasks = Tasks::new();
        tasks.spawn(async {});
        all.spawn(watch("reports", tasks));
        let mut tasks = Tasks::new();
        tasks.spawn(async { panic!("on purpose") });
        all.spawn(watch("customers", tasks));
        let mut composition = Composition { door: Router::new(), _reports: Arc::default(), tasks: all };
        let failure = composition.broken().await.to_string();
        assert!(failure.starts_with("a task of customers broke"), "{failure}");
    }

    #[tokio::test]
    async fn a_service_that_starts_later_is_asked_once_it_is_there_and_kept_by_nobody_else() {
        let (upstream, place) = later();
        let ask = async || upstream.call(Request::default()).await.unwrap().status();
        assert_eq!(ask().await, StatusCode::SERVICE_UNAVAILABLE);
        let service = Router::new().fallback(async || StatusCode::IM_A_TEAPOT);
        place.set(Upstream::Local(service)).unwrap();
        assert_eq!(ask().await, StatusCode::IM_A_TEAPOT);
        drop(place);
        assert_eq!(ask().await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn what_one_process_decides_comes_last() {
        let databases = Databases::named(|service| format!("postgres://127.0.0.1/daybook_{service}"));
        let inherited = [("DAYBOOK_MIGRATE", "false"), ("DAYBOOK_FOLD_DELAY_MS", "7"), ("HOME", "/nowhere")];
        let inherited = inherited.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let env = env(&databases, "http://127.0.0.1:1", inherited.into_iter());
        assert_eq!((env.get("DAYBOOK_FOLD_DELAY_MS"), env.get("HOME")), (Some("7"), None));
        assert_eq!(env.get("DAYBOOK_REPORTS_DATABASE_URL"), Some("postgres://127.0.0.1/daybook_reports"));
        assert_eq!(env.get("DAYBOOK_MIGRATE"), Some("true"));
        assert!(env.get("DAYBOOK_INTERNAL_KEY").is_some_and(|key| key.len() == 32));
    }

    #[test]
    fn links_begin_with_where_we_listen_unless_the_environment_knows_better() {
        let databases = Databases::named(|service| format!("postgres://127.0.0.1/daybook_{service}"));
        let url = "http://127.0.0.1:8080";
        assert_eq!(env(&databases, url, std::iter::empty()).get(PUBLIC_URL), Some(url));
        for (set, expected) in [("https://daybook.example.com", "https://daybook.example.com"), ("", url)] {
            let inherited = std::iter::once((PUBLIC_URL.to_owned(), set.to_owned()));
            assert_eq!(env(&databases, url, inherited).get(PUBLIC_URL), Some(expected));
        }
    }
}
