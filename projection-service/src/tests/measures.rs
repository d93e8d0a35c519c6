use domain::Json;
use domain::activity::ActivityContent;
use serde_json::{Value, json};

use super::house::{House, content, customer};

fn valued(actor: &str, time: &str, value: Option<f64>, properties: &Value) -> ActivityContent {
    let properties = Some(Json::try_from(properties).unwrap());
    ActivityContent { value, properties, ..content("order.paid", actor, time) }
}

const DAYS: &str = "from=2026-01-01&to=2026-01-03&time_zone=UTC";

/// Seven activities of two days.
fn orders() -> Vec<ActivityContent> {
    vec![
        valued("ada", "2026-01-01T10:00:00Z", Some(0.1), &json!({"plan": "pro", "seats": 1})),
        valued("ada", "2026-01-01T11:00:00Z", Some(0.2), &json!({"plan": "pro", "seats": 1.0})),
        valued("bob", "2026-01-01T12:00:00Z", None, &json!({"plan": "free"})),
        valued("bob", "2026-01-02T10:00:00Z", Some(-3.0), &json!({"plan": "team", "seats": 5})),
        valued("ada", "2026-01-02T11:00:00Z", Some(1e16), &json!({"plan": null, "seats": "1"})),
        valued("cem", "2026-01-02T12:00:00Z", Some(1.0), &json!({"plan": {"name": "x"}})),
        valued("cem", "2026-01-02T13:00:00Z", Some(-1e16), &json!({"plan": "free"})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_measure_is_exact_in_each_bucket_and_over_the_range() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (number, order) in orders().into_iter().enumerate() {
        house.record(customer, &number.to_string(), order).await;
    }
    house.folded().await;
    for (measure, total, first, second) in [
        ("count", json!(7), json!(3), json!(4)),
        ("actors", json!(3), json!(2), json!(3)),
        ("sum", json!(-1.7), json!(0.3), json!(-2.0)),
        ("mean", json!(-0.283_333_333_333_333_3), json!(0.15), json!(-0.5)),
        ("min", json!(-1e16), json!(0.1), json!(-1e16)),
        ("max", json!(1e16), json!(0.2), json!(1e16)),
        ("p50", json!(0.1), json!(0.1), json!(-3.0)),
        ("p90", json!(1e16), json!(0.2), json!(1e16)),
        ("p99", json!(1e16), json!(0.2), json!(1e16)),
    ] {
        let body = reports.body(customer, &format!("/v1/reports/activity?{DAYS}&measure={measure}")).await;
        assert_eq!(
            (&body["total"], &body["series"][0]["count"], &body["series"][1]["count"]),
            (&total, &first, &second),
            "{measure}"
        );
    }
    // Where there is no value, there is no least one.
    let none = reports.body(customer, &format!("/v1/reports/activity?{DAYS}&measure=min&type=none")).await;
    assert_eq!((&none["total"], &none["series"][0]["count"]), (&Value::Null, &Value::Null));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_values_and_the_rest_is_one_more() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (number, order) in orders().into_iter().enumerate() {
        house.record(customer, &number.to_string(), order).await;
    }
    house.folded().await;
    let body = |query: &'static str| {
        let path = format!("/v1/reports/activity?{DAYS}&interval=month&{query}");
        let reports = &reports;
        async move { reports.body(customer, &path).await }
    };
    let groups = |body: &Value| {
        let line = |line: &Value| json!([line.get("group"), line.get("other"), line["count"]]);
        body["series"].as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    // What is no scalar counts as absent; of equals, the one that comes first by name is first, and absent is before all.
    let plans = body("group_by=properties.plan").await;
    let wanted =
        [json!([null, null, 2]), json!(["free", null, 2]), json!(["pro", null, 2]), json!(["team", null, 1])];
    assert_eq!(groups(&plans), wanted);
    let seats = body("group_by=properties.seats&groups=2").await;
    let wanted = [json!([null, null, 3]), json!([1, null, 2]), json!([null, true, 2])];
    assert_eq!(groups(&seats), wanted);
    assert_eq!(seats["total"], 7);
    let actors = body("group_by=actor&measure=actors&groups=1").await;
    assert_eq!(groups(&actors), [json!(["ada", null, 1]), json!([null, true, 2])]);
    assert_eq!(actors["total"], 3);
    let pairs = body("group_by=actor&group_by=properties.plan&groups=2").await;
    let wanted = [json!([["ada", "pro"], null, 2]), json!([["ada", null], null, 1]), json!([null, true, 4])];
    assert_eq!(groups(&pairs), wanted);
    let values = body("group_by=value&groups=1&measure=max").await;
    assert_eq!(groups(&values), [json!([10_000_000_000_000_000_i64, null, 1e16]), json!([null, true, 1.0])]);
    let traits = body("group_by=traits.plan").await;
    assert_eq!(groups(&traits), [json!([null, null, 7])]);
    let none = body("group_by=type&type=none").await;
    assert_eq!((groups(&none), &none["total"]), (Vec::new(), &json!(0)));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_groups_are_cut_and_not_refused() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for number in 0..30 {
        let name = format!("kind.{number:02}");
        house.record(customer, &name, content(&name, "ada", "2026-01-01T10:00:00Z")).await;
    }
    house.folded().await;
    let path =
        "/v1/reports/activity?from=2026-01-01&to=2026-01-05&time_zone=UTC&interval=minute&group_by=type";
    let body = reports.body(customer, path).await;
    // 5,760 minutes leave room for 7 groups and the rest.
    let series = body["series"].as_array().unwrap();
    assert_eq!(series.len(), 5_760 * 8);
    let other: i64 =
        series.iter().filter(|line| line["other"] == true).map(|line| line["count"].as_i64().unwrap()).sum();
    assert_eq!((other, &body["total"]), (23, &json!(30)));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_top_values_have_their_activities_and_actors() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (number, order) in orders().into_iter().enumerate() {
        house.record(customer, &number.to_string(), order).await;
    }
    house.folded().await;
    let top = reports.body(customer, &format!("/v1/reports/top?{DAYS}&dimension=actor")).await;
    assert_eq!(
        top["items"],
        json!([
            {"key": "ada", "count": 3, "actors": 1},
            {"key": "bob", "count": 2, "actors": 1},
            {"key": "cem", "count": 2, "actors": 1},
        ])
    );
    let top =
        reports.body(customer, &format!("/v1/reports/top?{DAYS}&dimension=properties.plan&limit=2")).await;
    assert_eq!(
        top["items"],
        json!([{"key": null, "count": 2, "actors": 2}, {"key": "free", "count": 2, "actors": 2}])
    );
    reports.stop().await;
}
