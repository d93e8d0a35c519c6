use std::collections::BTreeSet;

use domain::CustomerId;
use serde_json::Value;

use super::house::{House, Reports, content, customer};

const DAYS: &str = "from=2026-01-01&to=2026-01-04&time_zone=UTC";

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The ids and the actors behind a number, page by page.
async fn behind(reports: &Reports, customer: CustomerId, path: &str, cell: &str) -> (usize, usize) {
    let (mut ids, mut actors, mut listed, mut cursor) = (BTreeSet::new(), BTreeSet::new(), 0, String::new());
    loop {
        let path = format!("{path}&explain={}&limit=2{cursor}", encoded(cell));
        let page = reports.body(customer, &path).await;
        for item in page["items"].as_array().unwrap() {
            listed += 1;
            ids.insert(item["id"].as_str().unwrap().to_owned());
            actors.insert(item["actor"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, ids.len(), "an activity is there twice");
    (ids.len(), actors.len())
}

async fn filled() -> (House, Reports, CustomerId) {
    let (house, reports) = House::start().await;
    let customer = customer();
    for number in 0..40 {
        let (kind, actor) = (
            ["page.viewed", "order.paid", "other, \"kind\""][number % 3],
            ["ada", "bob", "cem", "dan"][number % 4],
        );
        let time = format!("2026-01-0{}T{:02}:00:00Z", number % 3 + 1, number % 24);
        house.record(customer, &number.to_string(), content(kind, actor, &time)).await;
    }
    house.redact(customer, "7").await;
    house.correct(customer, "8", |content| "bob".clone_into(&mut content.actor)).await;
    house.folded().await;
    (house, reports, customer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_activity_is_what_is_behind_it() {
    let (_house, reports, customer) = filled().await;
    for (query, by_actor) in [
        ("", false),
        ("&group_by=type&groups=2", false),
        ("&group_by=type&group_by=actor&groups=3", false),
        ("&group_by=actor&measure=actors&groups=2", true),
    ] {
        let path = format!("/v1/reports/activity?{DAYS}{query}");
        let body = reports.body(customer, &path).await;
        for line in body["series"].as_array().unwrap() {
            let bucket = line["bucket"].as_str().unwrap();
            let cell = match (line.get("group"), line.get("other")) {
                (None, None) => bucket.to_owned(),
                (_, Some(_)) => format!("{bucket},other"),
                (Some(group), None) => format!("{bucket},{group}"),
            };
            let (activities, actors) = behind(&reports, customer, &path, &cell).await;
            let counted = if by_actor { actors } else { activities };
            assert_eq!(line["count"], counted, "{path} {cell}");
        }
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_any_report_is_what_is_behind_it() {
    let (_house, reports, customer) = filled().await;
    let ask = |path: String| {
        let reports = &reports;
        async move { (reports.body(customer, &path).await, path) }
    };
    let (top, path) = ask(format!("/v1/reports/top?{DAYS}&dimension=actor")).await;
    for item in top["items"].as_array().unwrap() {
        let found = behind(&reports, customer, &path.replace("&limit", ""), &item["key"].to_string()).await;
        assert_eq!((&item["count"], &item["actors"]), (&Value::from(found.0), &Value::from(found.1)));
    }
    let (days, path) = ask(format!("/v1/reports/active-users?{DAYS}")).await;
    for day in days["days"].as_array().unwrap() {
        for name in ["daily", "weekly"] {
            let cell = format!("{},{name}", day["date"].as_str().unwrap());
            assert_eq!(day[name], behind(&reports, customer, &path, &cell).await.1, "{cell}");
        }
    }
    let (funnel, path) = ask(format!("/v1/reports/funnel?{DAYS}&step=page.viewed&step=order.paid")).await;
    for (number, step) in (1..).zip(funnel["steps"].as_array().unwrap()) {
        assert_eq!(
            step["actors"],
            behind(&reports, customer, &path, &number.to_string()).await.1,
            "step {number}"
        );
    }
    let (sessions, path) = ask(format!("/v1/reports/sessions?{DAYS}")).await;
    assert_eq!(sessions["sessions"], behind(&reports, customer, &path, "total").await.0);
    reports.stop().await;
}
