use domain::token::Scope;
use http::StatusCode;
use serde_json::{Value, json};

use super::house::{House, content, customer};

const PATHS: [&str; 12] = [
    "/v1/reports/activity",
    "/v1/reports/active-users",
    "/v1/reports/retention",
    "/v1/reports/funnel?step=page.viewed&step=order.paid",
    "/v1/reports/sessions",
    "/v1/reports/top",
    "/v1/reports/week-hours",
    "/v1/reports/paths?start=page.viewed",
    "/v1/activities",
    "/v1/actors",
    "/v1/actors/ada",
    "/v1/actors/ada/activities",
];

/// A path with more parameters.
fn with(path: &str, query: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{query}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_be_read_is_refused() {
    let (_house, reports) = House::start().await;
    let customer = customer();
    for path in PATHS {
        for query in [
            "page=2",
            "from=yesterday",
            "to=2026-13-01T00:00:00Z",
            "from=2026-01-01T00:00:00",
            "range=1y",
            "as_of=-1",
            "wait_for=-1",
            "wait_for=x",
            "time_zone=a%00b",
            "cursor=x&limit=0",
            "format=xml",
        ] {
            let answer = reports.get(customer, &with(path, query)).await;
            assert_eq!(answer.problem(), (400, "/problems/invalid-query"), "{path} {query}");
            assert!(answer.body["detail"].is_string(), "{}", answer.body);
        }
    }
    for query in ["interval=year", "measure=median"] {
        let answer = reports.get(customer, &format!("/v1/reports/activity?{query}")).await;
        assert_eq!(answer.problem(), (400, "/problems/invalid-query"), "{query}");
    }
    for query in ["limit=0", "limit=1001", "limit=x", "cursor=x"] {
        let answer = reports.get(customer, &format!("/v1/activities?{query}")).await;
        assert_eq!(answer.problem(), (400, "/problems/invalid-query"), "{query}");
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_named() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for number in 0..11 {
        let kind = format!("kind.{number}");
        house.record(customer, &kind, content(&kind, "ada", "2026-01-01T10:00:00Z")).await;
    }
    house.folded().await;
    let activity = "/v1/reports/activity";
    let range = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
    for (path, pointer) in [
        (format!("{activity}?time_zone=Mars/Olympus"), "/time_zone"),
        (format!("{activity}?group_by=country"), "/group_by"),
        (format!("{activity}?group_by=type&group_by=actor&group_by=value"), "/group_by"),
        (format!("{activity}?groups=0"), "/groups"),
        (format!("{activity}?range=7d&from=2026-01-01"), "/range"),
        (format!("{activity}?filter=type"), "/filter"),
        (format!("{activity}?{range}&explain=2026-01-01T01:00:00Z"), "/explain"),
        (format!("{activity}?{range}&group_by=type&explain=2026-01-01T00:00:00%2B01:00,none"), "/explain"),
        ("/v1/reports/top?dimension=plan".to_owned(), "/dimension"),
        ("/v1/reports/top?explain=%22none%22".to_owned(), "/explain"),
        (format!("{activity}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"), "/from"),
        (
            format!("{activity}?from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=minute"),
            "/interval",
        ),
        ("/v1/reports/active-users?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z".to_owned(), "/from"),
        ("/v1/reports/active-users?time_zone=x".to_owned(), "/time_zone"),
    ] {
        let answer = reports.get(customer, &path).await;
        assert_eq!(answer.problem(), (422, "/problems/invalid-parameter"), "{path}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{path}");
    }
    assert_eq!(
        reports.get(customer, &format!("{activity}?{range}&interval=minute")).await.status,
        StatusCode::OK
    );
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_read_is_answered() {
    let (_house, reports) = House::start().await;
    for path in PATHS {
        let scopes = [Scope::Ingest, Scope::Audit, Scope::Admin];
        let answer = reports.ask(customer(), path, &[], &scopes).await;
        assert_eq!(answer.problem(), (403, "/problems/scope-missing"), "{path}");
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_known_is_not_sent_again() {
    let (house, reports) = House::start().await;
    let customer = customer();
    house.record(customer, "1", content("page.viewed", "ada", "2026-01-01T10:00:00Z")).await;
    house.folded().await;
    for path in PATHS {
        let path = with(path, "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z");
        let first = reports.get(customer, &path).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let known = [("if-none-match", tag.as_str())];
        let again = reports.ask(customer, &path, &known, &[Scope::Read]).await;
        assert_eq!(
            (again.status, &again.body, &again.headers["etag"]),
            (StatusCode::NOT_MODIFIED, &Value::Null, &first.headers["etag"])
        );
        let other = reports.ask(customer, &format!("{path}&type=x"), &known, &[Scope::Read]).await;
        assert_ne!(other.status, StatusCode::NOT_MODIFIED, "another question has another answer");
        let stranger = reports.ask(super::house::customer(), &path, &known, &[Scope::Read]).await;
        assert_ne!(stranger.status, StatusCode::NOT_MODIFIED);
    }
    let path = "/v1/reports/activity?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
    let tag = reports.get(customer, path).await.headers["etag"].clone();
    house.record(customer, "2", content("page.viewed", "ada", "2026-01-01T10:00:00Z")).await;
    house.folded().await;
    let after =
        reports.ask(customer, path, &[("if-none-match", tag.to_str().unwrap())], &[Scope::Read]).await;
    assert_eq!((after.status, &after.body["total"]), (StatusCode::OK, &json!(2)));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_history_has_reports_too() {
    let (_house, reports) = House::start().await;
    let customer = customer();
    let body = reports.body(customer, "/v1/reports/activity").await;
    assert_eq!((&body["total"], body["series"].as_array().unwrap().len()), (&json!(0), 30));
    assert_eq!((&body["as_of"], &body["lag_ms"]), (&json!({"position": 0, "time": null}), &json!(0)));
    assert_eq!(
        reports.body(customer, "/v1/reports/active-users").await["days"].as_array().unwrap().len(),
        30
    );
    assert_eq!(reports.body(customer, "/v1/activities").await["items"], json!([]));
    reports.stop().await;
}

#[test]
fn every_operation_is_documented() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/v1/activities",
            "/v1/actors",
            "/v1/actors/{actor}",
            "/v1/actors/{actor}/activities",
            "/v1/dead-letters",
            "/v1/dead-letters/{id}/discard",
            "/v1/dead-letters/{id}/retry",
            "/v1/projections",
            "/v1/projections/{name}/rebuild",
            "/v1/reports/active-users",
            "/v1/reports/activity",
            "/v1/reports/funnel",
            "/v1/reports/paths",
            "/v1/reports/retention",
            "/v1/reports/sessions",
            "/v1/reports/top",
            "/v1/reports/week-hours",
        ]
    );
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["description"].is_string(), "{place}");
            assert!(operation["security"].is_array() && operation["tags"].is_array(), "{place}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(status.starts_with(['4', '5']), is_problem, "{place} {status}");
            }
        }
    }
    let schemas = &document["components"]["schemas"];
    for (schema, optional) in [
        ("ActivityBody", vec![]),
        ("ActivityBucket", vec!["group", "other"]),
        ("ActiveUsersBody", vec![]),
        ("TopBody", vec![]),
        ("TopItem", vec![]),
        ("FunnelStep", vec![]),
        ("Actor", vec![]),
        ("ActorPage", vec![]),
        ("ActiveUsersDay", vec![]),
        ("ActivityPage", vec![]),
        ("Activity", vec![]),
        ("AsOf", vec![]),
        ("DeadLetter", vec![]),
        ("Resolved", vec![]),
    ] {
        let required: Vec<&str> = schemas[schema]["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        let properties = schemas[schema]["properties"].as_object().unwrap().keys();
        let missing: Vec<&String> = properties.filter(|name| !required.contains(&name.as_str())).collect();
        assert_eq!(missing, optional, "{schema}");
    }
}
