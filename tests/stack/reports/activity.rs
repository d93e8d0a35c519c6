//! `GET /v1/reports/activity`: buckets, and groups by type.

use insta::assert_json_snapshot;
use serde_json::json;

use super::{activity, counts, folded, with_a_morning};

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
