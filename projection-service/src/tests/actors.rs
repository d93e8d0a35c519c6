use serde_json::{Value, json};

use super::house::{House, content, customer};

fn names(body: &Value) -> Vec<&str> {
    body["items"].as_array().unwrap().iter().map(|item| item["actor"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn actors_are_listed_by_name_and_found_by_a_part_of_it() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let all = ["Ada Lovelace", "ada", "bob/1", "übung", "gone"];
    for (number, actor) in all.iter().enumerate() {
        for (id, day) in [("a", 1), ("b", 2)] {
            let time = format!("2026-01-0{day}T1{number}:00:00Z");
            house.record(customer, &format!("{id}{number}"), content("page.viewed", actor, &time)).await;
        }
    }
    house.redact(customer, "a4").await;
    house.redact(customer, "b4").await;
    house.folded().await;
    let body = reports.body(customer, "/v1/actors").await;
    assert_eq!(names(&body), ["Ada Lovelace", "ada", "bob/1", "übung"]);
    assert_eq!(
        body["items"][1],
        json!({"actor": "ada", "count": 2, "first_seen": "2026-01-01T11:00:00Z", "last_seen": "2026-01-02T11:00:00Z"})
    );
    for (query, wanted) in [
        ("q=ada", vec!["Ada Lovelace", "ada"]),
        ("q=LOVE", vec!["Ada Lovelace"]),
        ("q=%C3%9C", vec!["übung"]),
        ("q=/", vec!["bob/1"]),
        ("q=x", vec![]),
        ("to=2026-01-01T10:30:00Z", vec!["Ada Lovelace"]),
    ] {
        let body = reports.body(customer, &format!("/v1/actors?{query}")).await;
        assert_eq!(names(&body), wanted, "{query}");
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = reports.body(customer, &format!("/v1/actors?limit=1{cursor}")).await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["Ada Lovelace", "ada", "bob/1", "übung"]);
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_of_any_name_has_a_page_and_a_time_line() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (number, actor) in ["a/b", "a/b/activities", "50% + é?", "#"].into_iter().enumerate() {
        house
            .record(customer, &number.to_string(), content("page.viewed", actor, "2026-01-01T10:00:00Z"))
            .await;
    }
    house.folded().await;
    for (number, path) in
        ["a%2Fb", "a%2Fb%2Factivities", "50%25%20%2B%20%C3%A9%3F", "%23"].into_iter().enumerate()
    {
        let body = reports.body(customer, &format!("/v1/actors/{path}")).await;
        assert_eq!((&body["count"], &body["first_seen"]), (&json!(1), &json!("2026-01-01T10:00:00Z")));
        let body = reports.body(customer, &format!("/v1/actors/{path}/activities")).await;
        assert_eq!(body["items"][0]["id"], number.to_string(), "{path}");
        assert_eq!(body["items"].as_array().unwrap().len(), 1, "{path}");
    }
    let missing = reports.get(customer, "/v1/actors/nobody").await;
    assert_eq!(missing.problem(), (404, "/problems/actor-not-found"));
    assert_eq!(reports.body(customer, "/v1/actors/nobody/activities").await["items"], json!([]));
    reports.stop().await;
}
