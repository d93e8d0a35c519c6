use std::path::Path;

use futures::future::join_all;
use scratch_database::ScratchDatabase;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Api, Customer, Service, eventually, http, within};

/// Any free port.
const ON: &str = "127.0.0.1:0";
const FOLD_DELAY_MS: &str = "50";

/// Where a broker is.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) url: String,
    pub(super) admin_url: String,
}

impl Address {
    /// The broker that all tests share.
    pub(super) fn shared() -> Self {
        let address = |key: &str| {
            std::env::var(key).unwrap_or_else(|_| {
                panic!(
                    "{key} is not set; `cargo xtask test` starts a broker and sets it, or name one yourself"
                )
            })
        };
        Self { url: address("DAYBOOK_TEST_PULSAR_URL"), admin_url: address("DAYBOOK_TEST_PULSAR_WEB_URL") }
    }
}

/// Services of one system, several of a kind, over one broker.
pub(super) struct Fleet {
    pub(super) broker: Address,
    pub(super) namespace: String,
    /// Each in its place; none where it was killed.
    pub(super) activities: Vec<Option<Service>>,
    pub(super) reports: Vec<Option<Service>>,
    customers: Option<Service>,
    gateway: Option<Service>,
    databases: [ScratchDatabase; 3],
    dir: TempDir,
}

/// Further settings of one process.
pub(super) type Settings<'a> = &'a [(&'a str, &'a str)];
/// None.
pub(super) const PLAIN: Settings<'static> = &[];

impl Fleet {
    /// One process for each of the settings, beside one of customers and one of the gateway.
    pub(super) async fn start(
        broker: Address,
        activities: &[Settings<'_>],
        reports: &[Settings<'_>],
    ) -> Self {
        let databases =
            [ScratchDatabase::empty().await, ScratchDatabase::empty().await, ScratchDatabase::empty().await];
        let mut fleet = Self {
            broker,
            namespace: format!("stack-{}", Uuid::now_v7().simple()),
            activities: Vec::new(),
            reports: Vec::new(),
            customers: None,
            gateway: None,
            databases,
            dir: tempfile::tempdir().unwrap(),
        };
        fleet.start_services(activities, reports).await;
        fleet
    }

    /// The same system once more, after [`Self::kill_everything`].
    pub(super) async fn start_services(&mut self, activities: &[Settings<'_>], reports: &[Settings<'_>]) {
        self.customers = Some(self.service("customers", "customers", &[]).await);
        for (n, settings) in activities.iter().enumerate() {
            // One after another: the first makes the tables.
            self.activities
                .push(Some(self.service(&format!("activities-{n}"), "activities", settings).await));
        }
        for (n, settings) in reports.iter().enumerate() {
            self.reports.push(Some(self.service(&format!("reports-{n}"), "reports", settings).await));
        }
        self.gateway = Some(self.service("gateway", "gateway", &[]).await);
    }

    async fn service(&self, label: &str, name: &str, settings: Settings<'_>) -> Service {
        let [activities, customers, reports] = [0, 1, 2].map(|n: usize| self.databases[n].url());
        let url = |service: Option<&Service>| service.map_or(String::new(), |service| service.url.clone());
        let first = |services: &[Option<Service>]| url(services.iter().flatten().next());
        let urls = [first(&self.activities), url(self.customers.as_ref()), first(&self.reports)];
        let mut environment = vec![
            ("DAYBOOK_ACTIVITIES_DATABASE_URL", activities.as_str()),
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", &customers),
            ("DAYBOOK_REPORTS_DATABASE_URL", &reports),
            ("DAYBOOK_FOLD_DELAY_MS", FOLD_DELAY_MS),
            ("DAYBOOK_PULSAR_URL", &self.broker.url),
            ("DAYBOOK_PULSAR_ADMIN_URL", &self.broker.admin_url),
            ("DAYBOOK_PULSAR_NAMESPACE", &self.namespace),
        ];
        let keys = ["DAYBOOK_ACTIVITIES_URL", "DAYBOOK_CUSTOMERS_URL", "DAYBOOK_REPORTS_URL"];
        environment
            .extend(keys.into_iter().zip(urls.iter().map(String::as_str)).filter(|(_, url)| !url.is_empty()));
        environment.extend(settings);
        Service::start_as(label, name, ON, &environment, self.dir()).await
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The database of activities.
    pub(super) fn log(&self) -> &sqlx::PgPool {
        self.databases[0].pool()
    }

    /// The database of reports.
    pub(super) fn read_models(&self) -> &sqlx::PgPool {
        self.databases[2].pool()
    }

    /// One of the metrics of a process.
    pub(super) async fn metric(service: &Service, name: &str) -> f64 {
        let text = http().get(&service.metrics_url).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
    }

    /// Customers in so many partitions, each of which has one.
    pub(super) async fn customers(&self, count: usize) -> Vec<Customer> {
        let gateway = &self.gateway.as_ref().unwrap().url;
        join_all((0..count).map(|_| Customer::sign_up(gateway, "UTC"))).await
    }

    /// A customer at one process of activities, without the gateway.
    pub(super) fn at_activities(&self, n: usize, customer: &Customer) -> Api {
        Api::new(&self.activities[n].as_ref().unwrap().url).with_token(&customer.token)
    }

    /// A customer at one process of reports.
    pub(super) fn at_reports(&self, n: usize, customer: &Customer) -> Api {
        Api::new(&self.reports[n].as_ref().unwrap().url).with_token(&customer.token)
    }

    /// How far each partition is published.
    pub(super) async fn published(&self) -> Vec<i64> {
        let published = "SELECT position FROM relay_position ORDER BY partition";
        sqlx::query_scalar(published).fetch_all(self.log()).await.unwrap()
    }

    /// Waits until everything that is recorded is published.
    pub(super) async fn relayed(&self, limit: std::time::Duration) {
        let left = "SELECT count(*) FROM log_head h JOIN relay_position r USING (partition) WHERE r.position < h.position";
        within(limit, "everything is published", || async {
            let left: i64 = sqlx::query_scalar(left).fetch_one(self.log()).await.unwrap();
            (left == 0).then_some(())
        })
        .await;
    }

    /// Waits until so many relays share the partitions.
    pub(super) async fn shared_by(&self, relays: i64) {
        // The class of the relay's locks.
        let sharing = "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = $1 AND granted
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        eventually("the relays share the partitions", || async {
            let sharing = sqlx::query_scalar::<_, i64>(sharing)
                .bind(i64::from(event_store::advisory_locks::RELAY))
                .fetch_one(self.log())
                .await;
            (sharing.unwrap() == relays).then_some(())
        })
        .await;
    }

    /// `kill -9` of every process.
    pub(super) fn kill_everything(&mut self) {
        let services = self.activities.drain(..).chain(self.reports.drain(..)).flatten();
        for service in services.chain(self.customers.take()).chain(self.gateway.take()) {
            service.program.kill();
        }
    }
}

/// Records one activity of each customer at a process of activities.
pub(super) async fn record_one_each(fleet: &Fleet, n: usize, customers: &[Customer]) {
    let recording = customers.iter().map(|customer| async move {
        let api = fleet.at_activities(n, customer);
        api.record(&json!({"type": "page.viewed", "actor": "ada"})).await;
    });
    join_all(recording).await;
}
