//! The four services as four processes over real TCP, as in production.

use std::time::Duration;

use scratch_database::ScratchDatabase;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    Answer, Api, Customer, INTERNAL_KEY, PATIENCE, Program, Service, Wire, command, eventually, http, within,
};

/// All of them.
struct Services {
    customers: Option<Service>,
    activities: Service,
    reports: Service,
    gateway: Service,
    databases: [ScratchDatabase; 3],
    dir: TempDir,
}

impl Services {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let databases =
            [ScratchDatabase::empty().await, ScratchDatabase::empty().await, ScratchDatabase::empty().await];
        let [activities, customers, reports] = [0, 1, 2].map(|n: usize| databases[n].url());
        let on = "127.0.0.1:0";
        let environment = [("DAYBOOK_CUSTOMERS_DATABASE_URL", customers.as_str())];
        let customers_service = Service::start("customers", on, &environment, dir.path()).await;
        let environment = [
            ("DAYBOOK_ACTIVITIES_DATABASE_URL", activities.as_str()),
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", customers.as_str()),
            ("DAYBOOK_CUSTOMERS_URL", customers_service.url.as_str()),
            ("DAYBOOK_REPORTS_DATABASE_URL", reports.as_str()),
            ("DAYBOOK_FOLD_DELAY_MS", "50"),
        ];
        let activities = Service::start("activities", on, &environment, dir.path()).await;
        let environment = [&environment[..], &[("DAYBOOK_ACTIVITIES_URL", activities.url.as_str())]].concat();
        let reports = Service::start("reports", on, &environment, dir.path()).await;
        let environment = [
            ("DAYBOOK_ACTIVITIES_URL", activities.url.as_str()),
            ("DAYBOOK_CUSTOMERS_URL", customers_service.url.as_str()),
            ("DAYBOOK_REPORTS_URL", reports.url.as_str()),
        ];
        let gateway = Service::start("gateway", on, &environment, dir.path()).await;
        Self { customers: Some(customers_service), activities, reports, gateway, databases, dir }
    }

    fn url(&self) -> &str {
        &self.gateway.url
    }

    /// Another process of reports, beside the first.
    async fn reports_too(&self) -> Service {
        let dir = self.dir.path().join("another");
        std::fs::create_dir(&dir).unwrap();
        let [activities, customers, reports] = [0, 1, 2].map(|n: usize| self.databases[n].url());
        let environment = [
            ("DAYBOOK_ACTIVITIES_DATABASE_URL", activities.as_str()),
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", customers.as_str()),
            ("DAYBOOK_CUSTOMERS_URL", self.customers.as_ref().unwrap().url.as_str()),
            ("DAYBOOK_REPORTS_DATABASE_URL", reports.as_str()),
            ("DAYBOOK_ACTIVITIES_URL", self.activities.url.as_str()),
            ("DAYBOOK_FOLD_DELAY_MS", "50"),
        ];
        Service::start("reports", "127.0.0.1:0", &environment, &dir).await
    }

    /// `kill -9` of customers. Returns its address.
    fn kill_customers(&mut self) -> String {
        let customers = self.customers.take().unwrap();
        let address = customers.address().to_owned();
        customers.program.kill();
        address
    }

    /// Starts customers where it was.
    async fn start_customers(&mut self, address: &str) {
        let url = self.databases[1].url();
        let environment = [("DAYBOOK_CUSTOMERS_DATABASE_URL", url.as_str())];
        self.customers = Some(Service::start("customers", address, &environment, self.dir.path()).await);
    }
}

async fn total(api: &Api) -> i64 {
    api.get("/v1/reports/activity?interval=day").await.json(200)["total"].as_i64().unwrap()
}

#[tokio::test]
async fn reports_share_the_partitions_and_take_over_from_a_dead_one() {
    const TAKE_OVER_MAX: Duration = Duration::from_secs(5);
    let mut services = Services::start().await;
    let another = services.reports_too().await;
    let customers =
        [Customer::sign_up(services.url(), "UTC").await, Customer::sign_up(services.url(), "UTC").await];
    for n in 0..20 {
        for customer in &customers {
            let activity = json!({"id": format!("n-{n}"), "type": "page.viewed", "actor": "ada"});
            customer.api.record(&activity).await;
        }
    }
    // In the midst of its work.
    std::mem::replace(&mut services.reports, another).program.kill();
    for customer in &customers {
        customer.api.record(&json!({"id": "last", "type": "page.viewed", "actor": "ada"})).await;
    }
    let here = Api::new(&services.reports.url);
    for customer in &customers {
        let api = here.with_token(&customer.token);
        within(TAKE_OVER_MAX, "the other one has folded everything", || async {
            (total(&api).await == 21).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn four_processes_are_one_system() {
    let services = Services::start().await;
    let ready = Api::new(services.url()).get("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let customer = Customer::sign_up(services.url(), "UTC").await;
    for n in 0..10 {
        customer.api.record(&json!({"id": format!("n-{n}"), "type": "page.viewed", "actor": "ada"})).await;
    }
    eventually("the report counts them", || async { (total(&customer.api).await == 10).then_some(()) }).await;
    let history = customer.dashboard.get("/v1/history").await.json(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 10);
    for service in
        [&services.activities, &services.reports, &services.gateway, services.customers.as_ref().unwrap()]
    {
        let metrics = http().get(&service.metrics_url).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("daybook_http_request_duration_seconds"), "{}", service.metrics_url);
        let health = Api::new(&service.url).get("/healthz").await;
        assert_eq!(health.status, 200);
    }
    // No service but the gateway lets anybody say who he is.
    let direct = Api::new(&services.activities.url);
    assert_eq!(direct.get("/v1/history").await.status, 401);
    let principal = json!({"customer_id": customer.id, "subject": "me", "scopes": ["audit"]}).to_string();
    let request =
        direct.request(reqwest::Method::GET, "/v1/history").header("x-daybook-principal", principal);
    assert_eq!(crate::support::send(request).await.status, 401);
    for service in [services.gateway, services.reports, services.activities] {
        let (finished, took) = service.program.interrupt().await;
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        assert!(took < Duration::from_secs(10), "a service took {took:?} to stop");
    }
}

#[tokio::test]
async fn a_stream_is_told_of_while_it_is_sent_and_ends_when_its_service_stops() {
    let services = Services::start().await;
    let customer = Customer::sign_up(services.url(), "UTC").await;
    let mut wire = Wire::open(services.url(), &customer.token).await;
    for line in 1..=3 {
        wire.send("{\"type\":\"page.viewed\",\"actor\":\"ada\"}\n").await;
        assert_eq!(wire.line("progress").await["line"], line);
    }
    let (finished, _) = services.activities.program.interrupt().await;
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let summary = wire.line("summary").await;
    assert_eq!((&summary["complete"], &summary["line"]), (&json!(false), &json!(3)), "{summary}");
    assert_eq!(summary["problem"]["type"], "/problems/service-stopping", "{summary}");
}

#[tokio::test]
async fn known_tokens_work_while_customers_is_away_and_unknown_ones_wait() {
    let mut services = Services::start().await;
    let customer = Customer::sign_up(services.url(), "UTC").await;
    let fresh = customer.issue(&["ingest"]).await["token"].as_str().unwrap().to_owned();
    let fresh = customer.api.with_token(&fresh);
    customer.api.record(&json!({"type": "before", "actor": "ada"})).await;
    customer.api.get("/v1/reports/activity").await.json(200);
    let address = services.kill_customers();

    // Known to activities and to reports: a day long.
    customer.api.record(&json!({"type": "during", "actor": "ada"})).await;
    eventually("the report counts them", || async { (total(&customer.api).await == 2).then_some(()) }).await;
    // Never seen: nobody can say, which is no 401.
    let answer: Answer = fresh.post("/v1/activities", &json!({"type": "during", "actor": "ada"})).await;
    answer.problem(503, "customers-unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    // What is no token is known to be none.
    let none = customer.api.with_token("dbk_short");
    none.post("/v1/activities", &json!({"type": "a", "actor": "b"})).await.problem(401, "token-malformed");
    let answer = Api::new(services.url())
        .post("/v1/session", &json!({"email": "a@example.com", "password": "b"}))
        .await;
    answer.problem(503, "service-unavailable");
    let ready = Api::new(services.url()).get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text);
    assert!(ready.text.contains("customers"), "{}", ready.text);

    services.start_customers(&address).await;
    within(PATIENCE, "the token works", || async {
        let answer = fresh.post("/v1/activities", &json!({"type": "after", "actor": "ada"})).await;
        (answer.status == 202).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_revocation_reaches_every_process_within_a_second() {
    let services = Services::start().await;
    let customer = Customer::sign_up(services.url(), "UTC").await;
    let issued = customer.issue(&["ingest", "read"]).await;
    let api = customer.api.with_token(issued["token"].as_str().unwrap());
    api.record(&json!({"type": "a", "actor": "b"})).await;
    api.get("/v1/reports/activity").await.json(200);
    customer.api.delete(&format!("/v1/tokens/{}", issued["id"].as_str().unwrap())).await;
    within(Duration::from_secs(1), "both refuse the token", || async {
        let written = api.post("/v1/activities", &json!({"type": "a", "actor": "b"})).await;
        let read = api.get("/v1/reports/activity").await;
        (written.status == 401 && read.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_without_its_configuration_says_which_key() {
    let dir = tempfile::tempdir().unwrap();
    for (name, key) in [
        ("activities", "DAYBOOK_ACTIVITIES_DATABASE_URL"),
        ("customers", "DAYBOOK_CUSTOMERS_DATABASE_URL"),
        ("reports", "DAYBOOK_REPORTS_DATABASE_URL"),
        ("gateway", "DAYBOOK_INTERNAL_KEY"),
    ] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(["serve", name]), dir.path(), name).finished().await;
        assert_eq!(finished.code, Some(2), "{}", finished.err);
        assert!(finished.err.contains(&format!("{key} is not set")), "{}", finished.err);
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    // Bound and not listening any more, so that nobody else has it.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    let mut command = command(dir.path());
    command.args(["serve", "customers"]).env("DAYBOOK_INTERNAL_KEY", INTERNAL_KEY);
    command
        .env("DAYBOOK_CUSTOMERS_LISTEN", "127.0.0.1:0")
        .env("DAYBOOK_CUSTOMERS_METRICS_LISTEN", "127.0.0.1:0");
    command.env("DAYBOOK_CUSTOMERS_DATABASE_URL", format!("postgres://daybook:secret@127.0.0.1:{port}/none"));
    let finished = Program::start(&mut command, dir.path(), "customers").finished().await;
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    assert!(finished.err.contains("database") && !finished.err.contains("secret"), "{}", finished.err);
}
