use domain::activity::{ActivityEvent, ActivityRedacted};
use domain::{ActivityId, CustomerId};

use super::house::{House, Reports, content, customer};

const DAY: &str = "/v1/reports/activity?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";

pub(super) async fn letters(house: &House, projection: &str) -> Vec<(i64, String)> {
    sqlx::query_as(
        "SELECT position, reason FROM dead_letters WHERE projection = $1 ORDER BY partition, position",
    )
    .bind(projection)
    .fetch_all(house.pool())
    .await
    .unwrap()
}

/// At every checkpoint, everything up to it is folded or set aside.
pub(super) async fn everything_is_accounted_for(house: &House) {
    let heads = house.log.heads().await.unwrap();
    for projection in crate::status(house.pool()).await.unwrap() {
        for (checkpoint, head) in projection.partitions.iter().zip(&heads) {
            assert_eq!(checkpoint.position, head.position, "{}", projection.name);
            let (folded, dead) = (checkpoint.folded, checkpoint.dead_lettered);
            assert_eq!(checkpoint.position, folded + dead + checkpoint.discarded);
            assert!(checkpoint.dead_letters_found, "{checkpoint:?}");
        }
    }
}

pub(super) async fn total(reports: &Reports, customer: CustomerId) -> serde_json::Value {
    reports.body(customer, DAY).await["total"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_is_set_aside_with_its_stream_and_everything_else_goes_on() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let poison = ActivityId::parse("poison").unwrap().stream(customer);
    let viewed = || content("page.viewed", "ada", "2026-03-01T10:00:00Z");
    house.record(customer, "1", viewed()).await;
    let unknown =
        house.append(customer, poison.clone(), 1, "ActivityDreamt".into(), "1.0.0".into(), "{}".into()).await;
    house.record(customer, "2", viewed()).await;
    let event = ActivityEvent::ActivityRedacted(ActivityRedacted { before: viewed() });
    let waiting = {
        use cqrs_es::DomainEvent;
        use domain::EventPayload;
        let payload = event.encode().unwrap();
        house.append(customer, poison.clone(), 2, event.event_type(), event.event_version(), payload).await
    };
    house.folded().await;
    assert_eq!(total(&reports, customer).await, 2);

    // In a batch of its own, too.
    let later = house.append(customer, poison, 3, "ActivityDreamt".into(), "1.0.0".into(), "{}".into()).await;
    house.record(customer, "3", viewed()).await;
    house.folded().await;
    assert_eq!(total(&reports, customer).await, 3);
    let letters = letters(&house, "activities").await;
    let behind = format!("waits behind position {unknown} of the same stream");
    assert_eq!(letters[0], (unknown, "unknown event type ActivityDreamt of version 1.0.0".to_owned()));
    assert_eq!(letters[1..], [(waiting, behind.clone()), (later, behind)]);
    everything_is_accounted_for(&house).await;
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_fit_is_found_and_set_aside() {
    let house = House::empty().await;
    let customer = customer();
    let viewed = || content("page.viewed", "ada", "2026-03-01T10:00:00Z");
    for number in 0..20 {
        house.record(customer, &format!("before {number}"), viewed()).await;
    }
    // Two that were never recorded are redacted, in the midst of others.
    let mut guilty = Vec::new();
    for (id, day) in [("ghost 1", "2026-02-01T10:00:00Z"), ("ghost 2", "2026-02-02T10:00:00Z")] {
        let before = content("page.left", "nobody", day);
        let event = ActivityEvent::ActivityRedacted(ActivityRedacted { before });
        guilty.push(house.happen(customer, id, &event).await);
        for number in 0..20 {
            house.record(customer, &format!("{id} {number}"), viewed()).await;
        }
    }
    // All of it in one batch: reports was not there.
    let reports = house.reports(1).await;
    house.folded().await;
    assert_eq!(total(&reports, customer).await, 60);
    assert_eq!(reports.body(customer, "/v1/activities").await["items"].as_array().unwrap().len(), 60);
    let positions: Vec<i64> =
        letters(&house, "activities").await.into_iter().map(|(position, _)| position).collect();
    assert_eq!(positions, guilty);
    everything_is_accounted_for(&house).await;
    reports.stop().await;
}
