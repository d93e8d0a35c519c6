use domain::CustomerId;
use domain::token::Scope;
use http::StatusCode;
use serde_json::{Value, json};

use super::house::{House, Reports, content, customer};

const PATHS: [&str; 9] = [
    "/v1/reports/activity?group_by=type",
    "/v1/reports/active-users?",
    "/v1/reports/retention?",
    "/v1/reports/funnel?step=page.viewed&step=order.paid",
    "/v1/reports/sessions?",
    "/v1/reports/top?dimension=actor",
    "/v1/reports/paths?start=page.viewed",
    "/v1/activities?",
    "/v1/actors?",
];
const DAYS: &str = "&from=2026-01-01&to=2026-01-04&time_zone=UTC";

/// Every answer but for its lag.
async fn answers(reports: &Reports, customer: CustomerId, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for path in PATHS {
        let mut body = reports.body(customer, &format!("{path}{DAYS}{query}")).await;
        body.as_object_mut().unwrap().remove("lag_ms");
        all.push(body);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_once_is_answered_again_as_of_then() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let empty = answers(&reports, customer, "").await;
    let mut then = Vec::new();
    for number in 0..12 {
        let (kind, actor) = (["page.viewed", "order.paid"][number % 2], ["ada", "bob", "cem"][number % 3]);
        let time = format!("2026-01-0{}T{:02}:00:00Z", number % 3 + 1, 10 + number);
        house.record(customer, &number.to_string(), content(kind, actor, &time)).await;
        if number == 5 {
            house.correct(customer, "1", |content| "eve".clone_into(&mut content.actor)).await;
        }
        if number == 8 {
            house.redact(customer, "2").await;
        }
        house.folded().await;
        then.push(answers(&reports, customer, "").await);
    }
    for known in &then {
        let as_of = &known[0]["as_of"];
        let again = answers(&reports, customer, &format!("&as_of={}", as_of["position"])).await;
        assert_eq!(&again, known);
        let again = answers(&reports, customer, &format!("&as_of={}", as_of["time"].as_str().unwrap())).await;
        assert_eq!(&again, known);
    }
    assert_eq!(answers(&reports, customer, "&as_of=0").await, empty);
    assert_eq!(answers(&reports, customer, "&as_of=2020-01-01").await, empty);
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_waits_for_a_position() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let position = house.record(customer, "1", content("page.viewed", "ada", "2026-01-01T10:00:00Z")).await;
    for path in ["/v1/activities", "/v1/reports/activity"] {
        let body = reports.body(customer, &format!("{path}?wait_for={position}")).await;
        assert!(body["as_of"]["position"].as_i64().unwrap() >= position, "{body}");
    }
    let late = reports.get(customer, &format!("/v1/activities?wait_for={}", position + 1)).await;
    assert_eq!(late.problem(), (504, "/problems/not-yet-in-reports"));
    assert_eq!(
        (&late.body["as_of"]["position"], &late.body["items"][0]["id"]),
        (&json!(position), &json!("1"))
    );
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_it_is() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let position = house.record(customer, "1", content("page.viewed", "ada", "2026-01-01T10:00:00Z")).await;
    house.folded().await;
    for path in PATHS {
        let answer = reports.get(customer, &format!("{path}{DAYS}")).await;
        assert_eq!(answer.body["customer_id"], customer.to_string(), "{path}");
        assert_eq!(answer.body["as_of"]["position"], position, "{path}");
        assert!(answer.body["lag_ms"].is_i64(), "{path}");
        assert_eq!(
            answer.body["range"],
            json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-04T00:00:00Z", "time_zone": "UTC"}),
            "{path}"
        );
        assert!(answer.headers["etag"].to_str().unwrap().starts_with("W/\""), "{path}");
        assert_eq!(answer.headers["cache-control"], "private, no-cache", "{path}");
    }
    // All of it reaches from the first activity to today.
    let body = reports.body(customer, "/v1/reports/activity?range=all&interval=month&time_zone=UTC").await;
    assert_eq!((&body["total"], &body["range"]["from"]), (&json!(1), &json!("2026-01-01T00:00:00Z")));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_and_actors_are_short_for_filters() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (id, kind, actor) in [("1", "a", "ada"), ("2", "b", "ada"), ("3", "c", "bob"), ("4", "a", "bob")] {
        house.record(customer, id, content(kind, actor, "2026-01-01T10:00:00Z")).await;
    }
    house.folded().await;
    for (query, wanted) in [
        ("type=a", vec!["4", "1"]),
        ("type=a&type=c", vec!["4", "3", "1"]),
        ("type=a&actor=bob", vec!["4"]),
        ("actor=nobody", vec![]),
        (
            "filter=%5B%22is%22,%22actor%22,%22ada%22%5D&filter=%5B%22is_not%22,%22type%22,%22a%22%5D",
            vec!["2"],
        ),
        ("filter=%5B%22starts_with%22,%22actor%22,%22b%22%5D", vec!["4", "3"]),
    ] {
        let body = reports.body(customer, &format!("/v1/activities?{query}")).await;
        let ids: Vec<&str> =
            body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, wanted, "{query}");
    }
    let answer = reports.ask(customer, "/v1/activities?filter=x", &[], &[Scope::Read]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    reports.stop().await;
}
