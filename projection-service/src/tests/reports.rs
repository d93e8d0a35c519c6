use domain::CustomerId;
use serde_json::{Value, json};

use super::house::{House, Reports, at, content, customer};

/// `(bucket, count)` of a report.
async fn series(reports: &Reports, customer: CustomerId, query: &str) -> Vec<(String, Value)> {
    let body = reports.body(customer, &format!("/v1/reports/activity?{query}")).await;
    let pair = |bucket: &Value| (bucket["bucket"].as_str().unwrap().to_owned(), bucket["count"].clone());
    body["series"].as_array().unwrap().iter().map(pair).collect()
}

fn expected(pairs: &[(&str, i64)]) -> Vec<(String, Value)> {
    pairs.iter().map(|(bucket, count)| ((*bucket).to_owned(), json!(count))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_activity_lands_in_the_bucket_where_it_belongs() {
    let (house, reports) = House::start().await;
    let customer = customer();
    house.record(customer, "1", content("page.viewed", "ada", "2026-03-10T10:00:00Z")).await;
    house.folded().await;
    house.record(customer, "2", content("page.viewed", "ada", "2026-03-08T10:00:00Z")).await;
    house.folded().await;
    let query = "from=2026-03-08T00:00:00Z&to=2026-03-11T00:00:00Z&time_zone=UTC";
    let days = [("2026-03-08T00:00:00Z", 1), ("2026-03-09T00:00:00Z", 0), ("2026-03-10T00:00:00Z", 1)];
    assert_eq!(series(&reports, customer, query).await, expected(&days));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_the_customers_own_when_clocks_change() {
    let (house, reports) = House::start().await;
    let customer = customer();
    // One activity at the first and one at the last second of each of three days around both changes, in Berlin.
    let edges = [
        "2026-03-27T23:00:00Z",
        "2026-03-28T22:59:59Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
        "2026-03-30T21:59:59Z",
        "2026-10-23T22:00:00Z",
        "2026-10-24T21:59:59Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T22:59:59Z",
        "2026-10-25T23:00:00Z",
        "2026-10-26T22:59:59Z",
    ];
    for (number, time) in edges.iter().enumerate() {
        house.record(customer, &number.to_string(), content("page.viewed", "ada", time)).await;
    }
    house.folded().await;
    // The customer's own zone is Berlin.
    let spring = series(&reports, customer, "from=2026-03-27T23:00:00Z&to=2026-03-30T22:00:00Z").await;
    let days = [("2026-03-27T23:00:00Z", 2), ("2026-03-28T23:00:00Z", 2), ("2026-03-29T22:00:00Z", 2)];
    assert_eq!(spring, expected(&days));
    let autumn = series(&reports, customer, "from=2026-10-23T22:00:00Z&to=2026-10-26T23:00:00Z").await;
    let days = [("2026-10-23T22:00:00Z", 2), ("2026-10-24T22:00:00Z", 2), ("2026-10-25T23:00:00Z", 2)];
    assert_eq!(autumn, expected(&days));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_begin_at_half_past_where_the_zone_says_so() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (id, time) in
        [("1", "2026-01-01T18:29:59Z"), ("2", "2026-01-01T18:30:00Z"), ("3", "2026-01-02T18:29:59Z")]
    {
        house.record(customer, id, content("page.viewed", "ada", time)).await;
    }
    house.folded().await;
    let query = "from=2025-12-31T18:30:00Z&to=2026-01-02T18:30:00Z&time_zone=Asia/Kolkata";
    let days = [("2025-12-31T18:30:00Z", 1), ("2026-01-01T18:30:00Z", 2)];
    assert_eq!(series(&reports, customer, query).await, expected(&days));
    let path =
        "/v1/reports/active-users?from=2026-01-01T18:30:00Z&to=2026-01-02T18:30:00Z&time_zone=Asia/Kolkata";
    let body = reports.body(customer, path).await;
    assert_eq!(
        body["days"],
        json!([{"date": "2026-01-02", "daily": 1, "weekly": 1, "monthly": 1, "stickiness": 1.0}])
    );
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_lies_in_the_range_is_counted() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let times = ["10:06:59", "10:07:00", "10:20:00", "11:51:59", "11:52:00"];
    for (number, time) in times.iter().enumerate() {
        let time = format!("2026-01-01T{time}Z");
        house.record(customer, &number.to_string(), content("page.viewed", "ada", &time)).await;
    }
    house.folded().await;
    let range = "from=2026-01-01T10:07:00Z&to=2026-01-01T11:52:00Z&time_zone=UTC";
    for interval in ["minute", "hour", "day", "week", "month"] {
        let body = reports.body(customer, &format!("/v1/reports/activity?{range}&interval={interval}")).await;
        assert_eq!(body["total"], 3, "{interval}");
        let sum: i64 =
            body["series"].as_array().unwrap().iter().map(|bucket| bucket["count"].as_i64().unwrap()).sum();
        assert_eq!(sum, 3, "{interval}");
    }
    let hours = series(&reports, customer, &format!("{range}&interval=hour")).await;
    assert_eq!(hours, expected(&[("2026-01-01T10:00:00Z", 2), ("2026-01-01T11:00:00Z", 1)]));
    let minutes = series(&reports, customer, &format!("{range}&interval=minute")).await;
    assert_eq!(minutes.len(), 105);
    // Nothing is rounded: an instant is in the range or it is not.
    for (from, to, total) in [
        ("10:06:30", "11:52:30", 5),
        ("10:06:59", "11:52:00.000001", 5),
        ("10:06:59.000001", "11:52:00", 3),
        ("10:07:00.000001", "11:51:59", 1),
    ] {
        let path = format!("/v1/reports/activity?from=2026-01-01T{from}Z&to=2026-01-01T{to}Z");
        assert_eq!(reports.body(customer, &path).await["total"], total, "{from} {to}");
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_group_that_occurs_has_every_bucket() {
    let (house, reports) = House::start().await;
    let customer = customer();
    house.record(customer, "1", content("order.paid", "ada", "2026-01-01T10:00:00Z")).await;
    house.record(customer, "2", content("page.viewed", "ada", "2026-01-02T10:00:00Z")).await;
    house.record(customer, "3", content("page.left", "ada", "2025-01-02T10:00:00Z")).await;
    house.folded().await;
    let range = "from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z&time_zone=UTC";
    let body = reports.body(customer, &format!("/v1/reports/activity?{range}&group_by=type")).await;
    let (first, second) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    assert_eq!(
        body["series"],
        json!([
            {"bucket": first, "group": "order.paid", "count": 1},
            {"bucket": first, "group": "page.viewed", "count": 0},
            {"bucket": second, "group": "order.paid", "count": 0},
            {"bucket": second, "group": "page.viewed", "count": 1},
        ])
    );
    let body = reports.body(customer, &format!("/v1/reports/activity?{range}&type=order.paid")).await;
    assert_eq!(body["series"], json!([{"bucket": first, "count": 1}, {"bucket": second, "count": 0}]));
    assert_eq!(body["total"], 1);
    let body = reports.body(customer, &format!("/v1/reports/activity?{range}&type=nothing.such")).await;
    assert_eq!((&body["total"], body["series"].as_array().unwrap().len()), (&json!(0), 2));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_moves_and_a_redaction_takes_out() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for id in ["1", "2", "3"] {
        let mut viewed = content("page.viewed", "ada", "2026-01-01T10:00:00Z");
        viewed.value = Some(2.5);
        house.record(customer, id, viewed).await;
    }
    house.folded().await;
    house
        .correct(customer, "1", |content| {
            content.activity_type = "order.paid".to_owned();
            content.occurred_at = at("2026-01-02T10:00:00Z");
            content.value = Some(10.0);
        })
        .await;
    house.redact(customer, "2").await;
    // Corrected, then redacted, in one batch.
    house.correct(customer, "3", |content| content.value = None).await;
    house.redact(customer, "3").await;
    house.folded().await;
    let range = "from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z&time_zone=UTC&group_by=type";
    for (measure, count) in [("count", json!(1)), ("sum", json!(10.0)), ("mean", json!(10.0))] {
        let body = reports.body(customer, &format!("/v1/reports/activity?{range}&measure={measure}")).await;
        let zero = if measure == "count" { json!(0) } else { json!(0.0) };
        assert_eq!(
            body["series"],
            json!([
                {"bucket": "2026-01-01T00:00:00Z", "group": "order.paid", "count": zero},
                {"bucket": "2026-01-02T00:00:00Z", "group": "order.paid", "count": count},
            ]),
            "{measure}"
        );
        assert_eq!(body["total"], count);
    }
    let items = reports.body(customer, "/v1/activities").await["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1);
    assert_eq!(
        (&items[0]["type"], &items[0]["value"], &items[0]["sequence"]),
        (&json!("order.paid"), &json!(10.0), &json!(2))
    );
    // Nothing of the first day is left of the actor.
    let path = "/v1/reports/active-users?from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z&time_zone=UTC";
    let days = reports.body(customer, path).await["days"].clone();
    assert_eq!(
        (&days[0]["daily"], &days[0]["stickiness"], &days[1]["daily"]),
        (&json!(0), &Value::Null, &json!(1))
    );
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weekly_actors_are_not_the_sum_of_daily_ones() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for day in 1..=10 {
        let time = format!("2026-01-{day:02}T10:00:00Z");
        house.record(customer, &format!("ada {day}"), content("page.viewed", "ada", &time)).await;
        let actor = format!("guest {day}");
        house.record(customer, &actor, content("page.viewed", &actor, &time)).await;
    }
    house.folded().await;
    let path = "/v1/reports/active-users?from=2026-01-08T00:00:00Z&to=2026-01-11T00:00:00Z&time_zone=UTC";
    let body = reports.body(customer, path).await;
    for (day, (date, monthly)) in body["days"].as_array().unwrap().iter().zip([
        ("2026-01-08", 9),
        ("2026-01-09", 10),
        ("2026-01-10", 11),
    ]) {
        let counted = json!([day["date"], day["daily"], day["weekly"], day["monthly"]]);
        assert_eq!(counted, json!([date, 2, 8, monthly]));
        assert!((day["stickiness"].as_f64().unwrap() - 2.0 / f64::from(monthly)).abs() < 1e-9, "{day}");
    }
    assert_eq!(body["days"].as_array().unwrap().len(), 3);
    // 30 days on, only the last of them are still in the month.
    let path = "/v1/reports/active-users?from=2026-02-08T00:00:00Z&to=2026-02-10T00:00:00Z&time_zone=UTC";
    let body = reports.body(customer, path).await;
    assert_eq!(
        body["days"],
        json!([
            {"date": "2026-02-08", "daily": 0, "weekly": 0, "monthly": 2, "stickiness": 0.0},
            {"date": "2026-02-09", "daily": 0, "weekly": 0, "monthly": 0, "stickiness": null},
        ])
    );
    reports.stop().await;
}
