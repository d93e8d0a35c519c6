//! Dead letters that are tried again, or discarded.

use domain::CustomerId;

use super::dead_letters::{everything_is_accounted_for, letters, total};
use super::house::{House, Reports, UNREADABLE, content, customer};
use crate::{DeadLetterError, DeadLetterId, DeadLetterQuery, RebuildOptions, dead_letter, dead_letters};

fn id(house: &House, customer: CustomerId, position: i64) -> DeadLetterId {
    format!("activities-{}-{position}", house.partition(customer)).parse().unwrap()
}

/// Id, type and sequence of every activity that is listed.
async fn listed(reports: &Reports, customer: CustomerId) -> Vec<(String, String, i64)> {
    let body = reports.body(customer, "/v1/activities").await;
    let mut rows: Vec<(String, String, i64)> = body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let text = |key: &str| item[key].as_str().unwrap().to_owned();
            (text("id"), text("type"), item["sequence"].as_i64().unwrap())
        })
        .collect();
    rows.sort();
    rows
}

async fn verified(house: &House) {
    let options = RebuildOptions { verify: true, parallel: 2, load_max: None };
    let rebuilt = crate::rebuild(house.pool(), &house.log, options, |_| {}).await.unwrap();
    assert_eq!(rebuilt.differences, Some(crate::Differences::default()));
    everything_is_accounted_for(house).await;
}

fn row(id: &str, kind: &str, sequence: i64) -> (String, String, i64) {
    (id.to_owned(), kind.to_owned(), sequence)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_folds_a_stream_as_it_happened() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let viewed = || content("page.viewed", "ada", "2026-03-01T10:00:00Z");
    let first =
        house.record_unreadable(customer, "1", content("big.deal", "ada", "2026-03-01T10:00:00Z")).await;
    house.record(customer, "2", viewed()).await;
    house.folded().await;
    house.correct(customer, "1", |content| content.activity_type = "deal".to_owned()).await;
    house.correct(customer, "1", |content| content.activity_type = "small.deal".to_owned()).await;
    house.record(customer, "3", viewed()).await;
    house.folded().await;
    assert_eq!(listed(&reports, customer).await, [row("2", "page.viewed", 1), row("3", "page.viewed", 1)]);
    assert_eq!(letters(&house, "activities").await.len(), 3);
    assert_eq!(total(&reports, customer).await, 2);

    let id = id(&house, customer, first);
    let found = dead_letter(house.pool(), &id, Some(customer)).await.unwrap();
    assert_eq!((found.waiting, found.attempts, found.sequence), (2, 1, 1));
    assert!(found.reason == UNREADABLE && found.payload.as_str().contains("big.deal"), "{found:?}");
    let spaced = "UPDATE dead_letters SET payload = replace(payload::text, ',', E',\\n  ')::json";
    sqlx::query(spaced).execute(house.pool()).await.unwrap();
    let one_line = dead_letter(house.pool(), &id, Some(customer)).await.unwrap();
    assert_eq!(one_line.payload.as_str(), found.payload.as_str(), "however it is stored");
    let still = crate::retry(house.pool(), &house.log, &id, Some(customer)).await.unwrap_err();
    assert!(matches!(&still, DeadLetterError::Failed { reason } if reason == UNREADABLE), "{still}");
    let found = dead_letter(house.pool(), &id, Some(customer)).await.unwrap();
    assert_eq!((found.waiting, found.attempts), (2, 2));
    assert!(found.attempted_at > found.set_aside_at);
    everything_is_accounted_for(&house).await;

    let then = format!("/v1/activities?as_of={first}");
    assert_eq!(reports.body(customer, &then).await["items"], serde_json::json!([]));
    house.mend(customer, first).await;
    let before = reports.get(customer, "/v1/activities").await;
    let resolved = crate::retry(house.pool(), &house.log, &id, Some(customer)).await.unwrap();
    assert_eq!((resolved.folded, resolved.stopped_at), (3, None));
    assert_eq!(listed(&reports, customer).await[0], row("1", "small.deal", 3));
    assert_eq!(letters(&house, "activities").await, []);
    let past = reports.body(customer, &then).await;
    assert_eq!(
        past["items"][0]["type"], "big.deal",
        "it has been there since it was recorded, as a rebuild has it"
    );
    let tag = before.headers["etag"].to_str().unwrap();
    let read = [domain::token::Scope::Read];
    let after = reports.ask(customer, "/v1/activities", &[("if-none-match", tag)], &read).await;
    assert_eq!(after.status, 200, "the answer has changed, though the checkpoint has not moved");
    verified(&house).await;
    let gone = crate::retry(house.pool(), &house.log, &id, Some(customer)).await.unwrap_err();
    assert!(matches!(gone, DeadLetterError::NotFound), "{gone}");
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_stops_where_the_next_event_cannot_be_folded() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let first = house.record_unreadable(customer, "1", content("deal", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    house.correct(customer, "1", |content| content.activity_type = "page.viewed".to_owned()).await;
    let stream = domain::ActivityId::parse("1").unwrap().stream(customer);
    let dreamt = async |sequence| {
        let (kind, version) = ("ActivityDreamt".to_owned(), "1.0.0".to_owned());
        house.append(customer, stream.clone(), sequence, kind, version, "{}".to_owned()).await
    };
    let (unknown, last) = (dreamt(3).await, dreamt(4).await);
    house.folded().await;
    let waits = crate::retry(house.pool(), &house.log, &id(&house, customer, last), None).await.unwrap_err();
    let behind = id(&house, customer, first);
    assert!(matches!(&waits, DeadLetterError::Waits { behind: first } if *first == behind), "{waits}");

    house.mend(customer, first).await;
    let resolved = crate::retry(house.pool(), &house.log, &behind, None).await.unwrap();
    let stopped = resolved.stopped_at.unwrap();
    assert_eq!((resolved.folded, stopped.id.position), (2, unknown));
    assert!(stopped.reason.contains("unknown event type ActivityDreamt"), "{stopped:?}");
    assert_eq!(listed(&reports, customer).await, [row("1", "page.viewed", 2)]);
    let left = letters(&house, "activities").await;
    assert_eq!(left[1], (last, format!("waits behind position {unknown} of the same stream")));
    assert_eq!((left.len(), left[0].0), (2, unknown));
    everything_is_accounted_for(&house).await;
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discard_in_the_log_sets_free_what_waits() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let viewed = || content("page.viewed", "ada", "2026-03-01T10:00:00Z");
    house.record(customer, "0", viewed()).await;
    // The poison is the first event of its stream; what comes behind it is whole in itself.
    let stream = domain::ActivityId::parse("1").unwrap().stream(customer);
    let poison = house
        .append(customer, stream, 1, "ActivityRecorded".into(), "9.0.0".into(), "{\"x\":1}".into())
        .await;
    let behind = {
        use cqrs_es::DomainEvent;
        use domain::EventPayload;
        let event = domain::activity::ActivityEvent::ActivityRecorded(viewed());
        let stream = domain::ActivityId::parse("1").unwrap().stream(customer);
        let (kind, version) = (event.event_type(), event.event_version());
        house.append(customer, stream, 2, kind, version, event.encode().unwrap()).await
    };
    house.folded().await;
    assert_eq!(total(&reports, customer).await, 1);
    assert_eq!(letters(&house, "activities").await.len(), 2);
    assert_eq!(behind, poison + 1);

    // Whoever asks for it need not wait for the log, and may ask twice.
    let letter = id(&house, customer, poison);
    for folded in [1, 0] {
        let resolved = crate::discard(house.pool(), &house.log, &letter).await.unwrap();
        assert_eq!((resolved.folded, resolved.stopped_at), (folded, None));
    }
    for projection in ["activity", "active-users", "feed", "activities"] {
        house.discard(customer, projection, poison).await;
    }
    // There is no read model of this name.
    house.discard(customer, "sales", behind).await;
    house.folded().await;
    assert_eq!(total(&reports, customer).await, 2);
    assert_eq!(listed(&reports, customer).await.len(), 2);
    for projection in crate::status(house.pool()).await.unwrap() {
        let [dead, discarded] = projection
            .partitions
            .iter()
            .fold([0, 0], |[dead, discarded], one| [dead + one.dead_lettered, discarded + one.discarded]);
        assert_eq!((dead, discarded), (0, 1), "{}", projection.name);
    }
    verified(&house).await;

    // A new database of reports, of which nothing is known but the log: the same again.
    reports.stop().await;
    let other = house.elsewhere().await;
    let reports = other.reports(1).await;
    other.folded().await;
    assert_eq!(total(&reports, customer).await, 2);
    // Discarding what is no dead letter changes nothing.
    other.discard(customer, "activities", behind).await;
    other.folded().await;
    assert_eq!(total(&reports, customer).await, 2);
    verified(&other).await;
    assert_eq!(total(&reports, customer).await, 2);
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_discarded_stays_out_of_a_rebuild_that_could_fold_it() {
    let (house, reports) = House::start().await;
    let customer = customer();
    let poison =
        house.record_unreadable(customer, "1", content("big.deal", "ada", "2026-03-01T10:00:00Z")).await;
    house.record(customer, "2", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    let letter = id(&house, customer, poison);
    let resolved = crate::discard(house.pool(), &house.log, &letter).await.unwrap();
    assert_eq!((resolved.folded, resolved.stopped_at), (0, None));
    house.discard(customer, "activities", poison).await;
    house.folded().await;
    everything_is_accounted_for(&house).await;
    house.mend(customer, poison).await;
    verified(&house).await;
    assert_eq!(listed(&reports, customer).await, [row("2", "page.viewed", 1)]);
    let status = crate::status(house.pool()).await.unwrap();
    let activities = status.iter().find(|projection| projection.name == "activities").unwrap();
    assert_eq!(activities.generation, 2);
    assert_eq!(activities.partitions.iter().map(|one| one.discarded).sum::<i64>(), 1);
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_loses_no_dead_letter_and_names_it_as_before() {
    let (house, reports) = House::start().await;
    let (customer, other) = (customer(), super::house::customer());
    let mut poisons = Vec::new();
    for whose in [customer, other, customer] {
        let stream = domain::ActivityId::parse(format!("p{}", poisons.len())).unwrap().stream(whose);
        let event = house.append(whose, stream, 1, "ActivityDreamt".into(), "1.0.0".into(), "{}".into());
        poisons.push(event.await);
    }
    house.folded().await;
    let named = async |customer| {
        let query = DeadLetterQuery { customer, projection: None, after: None, limit: 100 };
        let letters = dead_letters(house.pool(), &query).await.unwrap();
        letters.into_iter().map(|letter| letter.id.to_string()).collect::<Vec<_>>()
    };
    let (own, all) = (named(Some(customer)).await, named(None).await);
    assert_eq!((own.len(), all.len()), (2, 3));
    verified(&house).await;
    assert_eq!((named(Some(customer)).await, named(None).await), (own, all.clone()));

    // Page by page: the same, each once.
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let query = DeadLetterQuery { customer: None, projection: None, after, limit: 2 };
        let found = dead_letters(house.pool(), &query).await.unwrap();
        let Some(last) = found.last() else { break };
        after = Some(last.id.clone());
        pages.extend(found.into_iter().map(|letter| letter.id.to_string()));
    }
    assert_eq!(pages, all);
    let foreign = id(&house, customer, poisons[0]);
    let hidden = dead_letter(house.pool(), &foreign, Some(other)).await.unwrap_err();
    assert!(matches!(hidden, DeadLetterError::NotFound), "{hidden}");
    reports.stop().await;
}
