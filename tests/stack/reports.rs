//! What the log adds up to, seen through the public door.

use chrono::{DateTime, Utc};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Customer, eventually, shared};

/// A day that is over, so that every time of it can be recorded.
const FROM: &str = "2026-03-02T00:00:00Z";
const TO: &str = "2026-03-03T00:00:00Z";

/// Records activities, each a type, an actor, a time of the day and a value; answers the last position.
async fn record(customer: &Customer, activities: &[(&str, &str, &str, Option<f64>)]) -> i64 {
    let activities: Vec<Value> = activities
        .iter()
        .enumerate()
        .map(|(n, (kind, actor, time, value))| {
            let mut activity =
                json!({"id": format!("n-{n}"), "type": kind, "actor": actor, "occurred_at": format!("2026-03-02T{time}Z")});
            if let Some(value) = value {
                activity["value"] = (*value).into();
            }
            activity
        })
        .collect();
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    assert_eq!(answer["rejected"], json!([]));
    answer["last_position"].as_i64().unwrap()
}

/// A report once it knows the history up to a position.
async fn folded(customer: &Customer, path: &str, position: i64) -> Value {
    eventually("the report knows the history", || async {
        let report = customer.api.get(path).await.json(200);
        (report["as_of"]["position"].as_i64().unwrap() >= position).then_some(report)
    })
    .await
}

async fn last_position(customer: &Customer) -> i64 {
    let history = customer.api.get("/v1/history?limit=1000").await.json(200);
    history["items"].as_array().unwrap().last().unwrap()["position"].as_i64().unwrap()
}

fn activity(query: &str) -> String {
    format!("/v1/reports/activity?from={FROM}&to={TO}{query}")
}

/// The numbers of a series that are not 0, as bucket, group and count.
fn counts(report: &Value) -> Vec<(String, String, f64)> {
    let series = report["series"].as_array().unwrap();
    let some = series.iter().filter(|bucket| bucket["count"].as_f64().unwrap() != 0.0);
    some.map(|bucket| {
        let text = |key: &str| bucket[key].as_str().unwrap_or_default().to_owned();
        (text("bucket"), text("group"), bucket["count"].as_f64().unwrap())
    })
    .collect()
}

async fn with_a_morning() -> (Customer, i64) {
    let customer = shared().customer().await;
    let position = record(
        &customer,
        &[
            ("page.viewed", "ada", "09:00:00", None),
            ("page.viewed", "bob", "09:59:59.999999", None),
            ("order.paid", "ada", "10:00:00", Some(12.5)),
            ("page.viewed", "ada", "10:30:00", None),
            ("order.paid", "bob", "10:45:00", Some(7.5)),
        ],
    )
    .await;
    (customer, position)
}

#[tokio::test]
async fn activities_are_counted_in_buckets_and_empty_ones_are_there() {
    let (customer, position) = with_a_morning().await;
    let report = folded(&customer, &activity("&interval=hour"), position).await;
    assert_eq!(report["total"], 5);
    assert_eq!(report["series"].as_array().unwrap().len(), 24, "a day has 24 hours, empty or not");
    assert_eq!(
        counts(&report),
        [
            ("2026-03-02T09:00:00Z".into(), String::new(), 2.0),
            ("2026-03-02T10:00:00Z".into(), String::new(), 3.0)
        ]
    );
    assert!(report["lag_ms"].is_number() && report["as_of"]["time"].is_string(), "{report}");
    let day = customer.api.get(&activity("&interval=day")).await.json(200);
    assert_eq!(day["series"], json!([{"bucket": "2026-03-02T00:00:00Z", "count": 5}]));
    let minutes = customer.api.get(&activity("&interval=minute")).await.json(200);
    assert_eq!(minutes["series"].as_array().unwrap().len(), 1440);
    // `from` is inclusive, `to` is not.
    let path = "/v1/reports/activity?from=2026-03-02T09:00:00Z&to=2026-03-02T10:00:00Z&interval=hour";
    assert_eq!(customer.api.get(path).await.json(200)["total"], 2);
}

#[tokio::test]
async fn activities_are_counted_by_type() {
    let (customer, position) = with_a_morning().await;
    let path = activity("&interval=hour&group_by=type");
    let report = folded(&customer, &path, position).await;
    let of =
        |hour: &str, group: &str, count: f64| (format!("2026-03-02T{hour}:00:00Z"), group.to_owned(), count);
    assert_eq!(
        counts(&report),
        [of("09", "page.viewed", 2.0), of("10", "page.viewed", 1.0), of("10", "order.paid", 2.0)],
        "the larger group over the whole range comes first"
    );
    assert_eq!(report["series"].as_array().unwrap().len(), 48, "each type has every bucket");
    let day = customer.api.get(&activity("&interval=day&group_by=type")).await.json(200);
    assert_json_snapshot!("by-type", day, {
        ".as_of" => "[as of]", ".lag_ms" => "[lag]", ".customer_id" => "[id]",
    });
    let paid = customer.api.get(&activity("&interval=day&type=order.paid")).await.json(200);
    assert_eq!(paid["total"], 2);
}

#[tokio::test]
async fn a_correction_moves_what_it_contributed() {
    let (customer, _) = with_a_morning().await;
    // The first page view was an order, and two hours later.
    let correction = json!({"type": "order.paid", "occurred_at": "2026-03-02T11:15:00Z", "value": 1});
    customer.api.patch("/v1/activities/n-0", &correction).await.json(200);
    let position = last_position(&customer).await;
    let report = folded(&customer, &activity("&interval=hour&group_by=type"), position).await;
    let of =
        |hour: &str, group: &str, count: f64| (format!("2026-03-02T{hour}:00:00Z"), group.to_owned(), count);
    assert_eq!(report["total"], 5);
    assert_eq!(
        counts(&report),
        [
            of("09", "page.viewed", 1.0),
            of("10", "order.paid", 2.0),
            of("10", "page.viewed", 1.0),
            of("11", "order.paid", 1.0)
        ]
    );
    let feed = folded(&customer, "/v1/activities", 0).await;
    let corrected = feed["items"].as_array().unwrap().iter().find(|item| item["id"] == "n-0").unwrap();
    assert_eq!(
        (&corrected["type"], &corrected["occurred_at"]),
        (&json!("order.paid"), &json!("2026-03-02T11:15:00Z"))
    );
}

#[tokio::test]
async fn a_redaction_takes_out_what_it_contributed() {
    let (customer, _) = with_a_morning().await;
    for id in ["n-1", "n-4"] {
        assert_eq!(customer.api.delete(&format!("/v1/activities/{id}")).await.status, 204);
    }
    let position = last_position(&customer).await;
    let report = folded(&customer, &activity("&interval=day&group_by=type"), position).await;
    let counts: Vec<_> = counts(&report).into_iter().map(|(_, group, count)| (group, count)).collect();
    assert_eq!(counts, [("page.viewed".to_owned(), 2.0), ("order.paid".to_owned(), 1.0)]);
    let users = format!("/v1/reports/active-users?from={FROM}&to={TO}");
    let users = folded(&customer, &users, position).await;
    assert_eq!(users["days"][0]["daily"], 1, "nothing is left of bob: {users}");
    let feed = customer.api.get("/v1/activities").await;
    assert!(!feed.text.contains("bob"), "{}", feed.text);
}

#[tokio::test]
async fn active_users_are_counted_once_however_long_the_window() {
    let customer = shared().customer().await;
    let mut activities = Vec::new();
    for (day, actors) in
        [("2026-03-01", &["ada", "bob"][..]), ("2026-03-02", &["ada"]), ("2026-03-08", &["ada", "cyd"])]
    {
        for actor in actors {
            activities.push(json!({"type": "a", "actor": actor, "occurred_at": format!("{day}T12:00:00Z")}));
            activities.push(json!({"type": "b", "actor": actor, "occurred_at": format!("{day}T13:00:00Z")}));
        }
    }
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    let path = "/v1/reports/active-users?from=2026-03-01T00:00:00Z&to=2026-03-10T00:00:00Z";
    let report = folded(&customer, path, answer["last_position"].as_i64().unwrap()).await;
    let days: Vec<_> = report["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| ["daily", "weekly", "monthly"].map(|key| day[key].as_u64().unwrap()))
        .collect();
    let mut expected = [[0, 2, 2]; 9];
    (expected[0], expected[1]) = ([2, 2, 2], [1, 2, 2]);
    // On the 8th, bob's day is more than a week ago.
    (expected[7], expected[8]) = ([2, 2, 3], [0, 2, 3]);
    assert_eq!(days, expected);
    assert_eq!(report["days"][7]["date"], "2026-03-08");
    assert!((report["days"][7]["stickiness"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_day_is_the_customers_own() {
    let customer = Customer::sign_up(&shared().url, "Asia/Kolkata").await;
    // 2026-03-02 in Kolkata begins at 18:30 UTC the day before.
    let activities =
        ["2026-03-01T18:29:00Z", "2026-03-01T18:30:00Z", "2026-03-02T18:29:00Z", "2026-03-02T18:30:00Z"]
            .map(|time| json!({"type": "a", "actor": time, "occurred_at": time}));
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    let position = answer["last_position"].as_i64().unwrap();
    let range = "from=2026-03-01T00:00:00Z&to=2026-03-04T00:00:00Z";
    let in_zone = |zone: &str| format!("/v1/reports/activity?{range}&interval=day&time_zone={zone}");
    let report = folded(&customer, &in_zone("Asia/Kolkata"), position).await;
    let days: Vec<_> = counts(&report).into_iter().map(|(bucket, _, count)| (bucket, count)).collect();
    assert_eq!(
        days,
        [
            ("2026-02-28T18:30:00Z".to_owned(), 1.0),
            ("2026-03-01T18:30:00Z".to_owned(), 2.0),
            ("2026-03-02T18:30:00Z".to_owned(), 1.0)
        ]
    );
    let utc = customer.api.get(&in_zone("UTC")).await.json(200);
    let days: Vec<_> = counts(&utc).into_iter().map(|(_, _, count)| count).collect();
    assert_eq!(days, [2.0, 2.0]);
    // Without one, days are those of the customer.
    let own = customer.api.get(&format!("/v1/reports/activity?{range}&interval=day")).await.json(200);
    assert_eq!(own["series"], report["series"]);
    let users = format!("/v1/reports/active-users?{range}&time_zone=Asia/Kolkata");
    let users = folded(&customer, &users, position).await;
    let daily: Vec<_> = users["days"].as_array().unwrap().iter().map(|day| &day["daily"]).collect();
    assert_eq!(daily, [&json!(1), &json!(2), &json!(1), &json!(0)]);
}

#[tokio::test]
async fn a_day_has_as_many_hours_as_the_clock_gives_it() {
    let customer = shared().customer().await;
    for (from, to, hours) in [
        // Clocks go forward in Berlin on 2026-03-29, and back on 2025-10-26.
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),
        ("2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z", 25),
    ] {
        let of = |interval: &str| {
            format!("/v1/reports/activity?from={from}&to={to}&interval={interval}&time_zone=Europe/Berlin")
        };
        let series = async |interval: &str| {
            let report = customer.api.get(&of(interval)).await.json(200);
            report["series"].as_array().unwrap().len()
        };
        assert_eq!((series("day").await, series("hour").await), (1, hours), "{from}");
    }
}

#[tokio::test]
async fn the_feed_shows_the_newest_first_and_loses_nothing_between_pages() {
    let customer = shared().customer().await;
    let activities: Vec<Value> = (0..50)
        .map(|n| {
            let minute = n % 10;
            json!({"id": format!("n-{n}"), "type": format!("type.{}", n % 3), "actor": format!("actor-{}", n % 4),
                   "occurred_at": format!("2026-03-02T10:{minute:02}:00Z")})
        })
        .collect();
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    let all = folded(&customer, "/v1/activities?limit=1000", answer["last_position"].as_i64().unwrap()).await;
    let items = all["items"].as_array().unwrap();
    assert_eq!((items.len(), &all["next_cursor"]), (50, &Value::Null));
    let times: Vec<DateTime<Utc>> =
        items.iter().map(|item| item["occurred_at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "the newest does not come first");
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = customer.api.get(&format!("/v1/activities?limit=7{cursor}")).await.json(200);
        paged.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, items, "pages show something else than the whole");
    let count = async |query: &str| {
        let page = customer.api.get(&format!("/v1/activities?{query}")).await.json(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("type=type.1").await, 17);
    assert_eq!(count("actor=actor-3").await, 12);
    assert_eq!(count("from=2026-03-02T10:03:00Z&to=2026-03-02T10:05:00Z").await, 10);
    assert_eq!(count("limit=1").await, 1);
}

#[tokio::test]
async fn a_report_that_has_not_changed_is_not_sent_again() {
    let (customer, position) = with_a_morning().await;
    let path = activity("&interval=hour");
    folded(&customer, &path, position).await;
    let tag = customer.api.get(&path).await.header("etag").to_owned();
    assert!(!tag.is_empty());
    let again = async || {
        let request = customer.api.request(reqwest::Method::GET, &path).header("if-none-match", &tag);
        crate::support::send(request).await
    };
    let answer: Answer = again().await;
    assert_eq!((answer.status, answer.text.as_str()), (304, ""));
    let one = json!({"type": "page.viewed", "actor": "ada", "occurred_at": "2026-03-02T15:00:00Z"});
    let position = customer.api.record(&one).await["position"].as_i64().unwrap();
    folded(&customer, &path, position).await;
    assert_eq!(again().await.status, 200);
}

#[tokio::test]
async fn another_customer_sees_nothing_of_it() {
    let (customer, position) = with_a_morning().await;
    folded(&customer, &activity("&interval=day"), position).await;
    let stranger = shared().customer().await;
    assert_eq!(stranger.api.get(&activity("&interval=day&group_by=type")).await.json(200)["total"], 0);
    assert_eq!(stranger.api.get("/v1/activities").await.json(200)["items"], json!([]));
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let customer = shared().customer().await;
    for (path, statuses) in [
        (activity("&interval=fortnight"), &[400, 422][..]),
        (activity("&time_zone=Mars/Olympus"), &[400, 422]),
        (activity("&group_by=colour.of.the.sky%00"), &[400, 422]),
        ("/v1/reports/activity?from=yesterday".into(), &[400, 422]),
        ("/v1/reports/activity?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z".into(), &[400, 422]),
        (
            "/v1/reports/activity?from=2000-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=minute".into(),
            &[400, 422],
        ),
        ("/v1/activities?limit=0".into(), &[400, 422]),
        ("/v1/activities?limit=1001".into(), &[400, 422]),
        ("/v1/activities?cursor=x".into(), &[400, 422]),
        ("/v1/reports/nothing".into(), &[404]),
    ] {
        let answer = customer.api.get(&path).await;
        assert!(statuses.contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}
