//! Whether the hot statements keep their plans, whatever the statistics are: on the tests' server, which is the embedded
//! one, and on the oldest PostgreSQL that is supported. A statement is added in `hot.rs`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests end by panicking, in what they share too")]

mod explain;
mod filled;
mod hot;
mod oldest;

use explain::Prepared;
use filled::{Database, Statistics};
use hot::{ACTIVITIES, CUSTOMERS, Hot, REPORTS, Service};

/// All of a service's statements under all kinds of statistics; every fault is listed, not only the first.
async fn keep_their_plans(server: &str, service: Service, statements: &[Hot]) {
    let mut faults = Vec::new();
    for statistics in Statistics::ALL {
        let database = Database::empty(server, service).await;
        // Planned while the tables are empty, as a service does that starts with its first customer.
        let mut prepared = Prepared::prepared(&database, statements).await;
        prepared.plan_several_times().await;
        database.fill(statistics).await;
        let found = prepared.faults().await;
        faults.extend(found.into_iter().map(|fault| format!("{statistics:?}: {fault}")));
        drop(prepared);
        database.remove().await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn tests_server() -> String {
    let key = "DAYBOOK_TEST_DATABASE_URL";
    std::env::var(key).unwrap_or_else(|_| {
        panic!("{key} is not set; `cargo xtask test` starts a server and sets it, or name one yourself")
    })
}

#[tokio::test]
async fn the_statements_of_activities_keep_their_plans_on_the_embedded_server() {
    keep_their_plans(&tests_server(), Service::Activities, ACTIVITIES).await;
}

#[tokio::test]
async fn the_statements_of_customers_keep_their_plans_on_the_embedded_server() {
    keep_their_plans(&tests_server(), Service::Customers, CUSTOMERS).await;
}

#[tokio::test]
async fn the_statements_of_reports_keep_their_plans_on_the_embedded_server() {
    keep_their_plans(&tests_server(), Service::Reports, REPORTS).await;
}

#[tokio::test]
async fn all_statements_keep_their_plans_on_the_oldest_server_that_is_supported() {
    let server = oldest::Server::start().await;
    keep_their_plans(server.url(), Service::Activities, ACTIVITIES).await;
    keep_their_plans(server.url(), Service::Customers, CUSTOMERS).await;
    keep_their_plans(server.url(), Service::Reports, REPORTS).await;
}

#[tokio::test]
async fn activities_that_come_again_are_looked_up_one_by_one_on_every_server() {
    let oldest = oldest::Server::start().await;
    for server in [tests_server(), oldest.url().to_owned()] {
        for statistics in Statistics::ALL {
            let database = Database::empty(&server, Service::Activities).await;
            database.append_again(10).await;
            database.fill(statistics).await;
            let fetched = database.append_again(100).await;
            assert!(fetched <= 200, "{statistics:?}: {fetched} rows were read for 100 that came again");
            database.remove().await;
        }
    }
}
