use domain::token::Scope;
use http::{Method, StatusCode};

use super::house::{House, content, customer, eventually};

const PATH: &str = "/v1/projections/activities/rebuild";

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_asked_for_is_done_and_can_be_watched() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for number in 0..20 {
        let content = content("page.viewed", "ada", "2026-03-01T10:00:00Z");
        house.record(customer, &number.to_string(), content).await;
    }
    house.folded().await;
    let admin = &[Scope::Admin][..];
    assert_eq!(reports.ask(customer, PATH, &[], admin).await.problem(), (404, "/problems/rebuild-not-found"));
    let refused = reports.send(Method::POST, customer, PATH, &[], &[Scope::Read]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let other = "/v1/projections/feed/rebuild";
    let unknown = reports.send(Method::POST, customer, other, &[], admin).await;
    assert_eq!(unknown.problem(), (404, "/problems/projection-not-found"));

    let accepted = reports.send(Method::POST, customer, PATH, &[], admin).await;
    assert_eq!(
        (accepted.status, accepted.headers["location"].to_str().unwrap()),
        (StatusCode::ACCEPTED, PATH)
    );
    let again = reports.send(Method::POST, customer, PATH, &[], admin).await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    eventually("it is done", async || reports.ask(customer, PATH, &[], admin).await.body["state"] == "done")
        .await;
    let job = reports.ask(customer, PATH, &[], admin).await.body;
    assert_eq!(job["id"], accepted.body["id"]);
    assert!(job["folded"] == job["total"] && job["folded"].as_i64() >= Some(20), "{job}");
    assert_eq!((&job["generation"], &job["error"]), (&2.into(), &serde_json::Value::Null), "{job}");
    assert_eq!(crate::status(house.pool()).await.unwrap()[0].generation, 2);
    reports.stop().await;
}
