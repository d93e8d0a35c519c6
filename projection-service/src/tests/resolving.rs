//! Dead letters that are tried again, or discarded.

use domain::CustomerId;

use super::dead_letters::{everything_is_accounted_for, letters, total};
use super::house::{House, content, customer};
use crate::{DeadLetterError, DeadLetterId, DeadLetterQuery, RebuildOptions, dead_letter, dead_letters};

/// From now on, the table of activities has no room for those whose type ends like this.
async fn refuse(house: &House, kind: &str) {
    let refuse =
        format!("ALTER TABLE feed_g1 ADD CONSTRAINT no_room CHECK (type NOT LIKE '%{kind}') NOT VALID");
    sqlx::query(&refuse).execute(house.pool()).await.unwrap();
}

/// The fault is mended.
async fn mend(house: &House) {
    sqlx::query("ALTER TABLE feed_g1 DROP CONSTRAINT no_room").execute(house.pool()).await.unwrap();
}

fn id(house: &House, customer: CustomerId, projection: &str, position: i64) -> DeadLetterId {
    format!("{projection}-{}-{position}", house.partition(customer)).parse().unwrap()
}

async fn feed(house: &House) -> Vec<(String, String, i64)> {
    sqlx::query_as("SELECT activity_id, type, sequence FROM feed ORDER BY activity_id")
        .fetch_all(house.pool())
        .await
        .unwrap()
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
    refuse(&house, "deal").await;
    let first = house.record(customer, "1", content("big.deal", "ada", "2026-03-01T10:00:00Z")).await;
    house.record(customer, "2", viewed()).await;
    house.folded().await;
    house.correct(customer, "1", |content| content.activity_type = "deal".to_owned()).await;
    house.correct(customer, "1", |content| content.activity_type = "small.deal".to_owned()).await;
    house.record(customer, "3", viewed()).await;
    house.folded().await;
    assert_eq!(feed(&house).await, [row("2", "page.viewed", 1), row("3", "page.viewed", 1)]);
    assert_eq!(letters(&house, "feed").await.len(), 3);
    assert_eq!(total(&reports, customer).await, 3, "the other projections have folded it");

    let id = id(&house, customer, "feed", first);
    let found = dead_letter(house.pool(), &id, Some(customer)).await.unwrap();
    assert_eq!((found.waiting, found.attempts, found.sequence), (2, 1, 1));
    assert!(found.reason.contains("no_room") && found.payload.as_str().contains("big.deal"), "{found:?}");
    let still = crate::retry(house.pool(), &house.log, &id, Some(customer)).await.unwrap_err();
    assert!(matches!(&still, DeadLetterError::Failed { reason } if reason.contains("no_room")), "{still}");
    let found = dead_letter(house.pool(), &id, Some(customer)).await.unwrap();
    assert_eq!((found.waiting, found.attempts), (2, 2));
    assert!(found.attempted_at > found.set_aside_at);
    everything_is_accounted_for(&house).await;

    mend(&house).await;
    let before = reports.get(customer, "/v1/activities").await;
    let resolved = crate::retry(house.pool(), &house.log, &id, Some(customer)).await.unwrap();
    assert_eq!((resolved.folded, resolved.stopped_at), (3, None));
    assert_eq!(feed(&house).await[0], row("1", "small.deal", 3));
    assert_eq!(letters(&house, "feed").await, []);
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
    refuse(&house, "deal").await;
    let first = house.record(customer, "1", content("deal", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    house.correct(customer, "1", |content| content.activity_type = "page.viewed".to_owned()).await;
    let stream = domain::ActivityId::parse("1").unwrap().stream(customer);
    let dreamt = async |sequence| {
        let (kind, version) = ("ActivityDreamt".to_owned(), "1.0.0".to_owned());
        house.append(customer, stream.clone(), sequence, kind, version, "{}".to_owned()).await
    };
    let (unknown, last) = (dreamt(3).await, dreamt(4).await);
    house.folded().await;
    let waits =
        crate::retry(house.pool(), &house.log, &id(&house, customer, "feed", last), None).await.unwrap_err();
    let behind = id(&house, customer, "feed", first);
    assert!(matches!(&waits, DeadLetterError::Waits { behind: told } if *told == behind), "{waits}");

    mend(&house).await;
    let resolved = crate::retry(house.pool(), &house.log, &behind, None).await.unwrap();
    let stopped = resolved.stopped_at.unwrap();
    assert_eq!((resolved.folded, stopped.id.position), (2, unknown));
    assert!(stopped.reason.contains("unknown event type ActivityDreamt"), "{stopped:?}");
    assert_eq!(feed(&house).await, [row("1", "page.viewed", 2)]);
    let left = letters(&house, "feed").await;
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
    assert_eq!(letters(&house, "activity").await.len(), 2);
    assert_eq!(behind, poison + 1);

    // Whoever asks for it need not wait for the log, and may ask twice.
    let letter = id(&house, customer, "active-users", poison);
    for folded in [1, 0] {
        let resolved = crate::discard(house.pool(), &house.log, &letter).await.unwrap();
        assert_eq!((resolved.folded, resolved.stopped_at), (folded, None));
    }
    for projection in ["activity", "active-users", "feed"] {
        house.discard(customer, projection, poison).await;
    }
    // Discarding what is no dead letter changes nothing.
    house.discard(customer, "feed", behind).await;
    house.discard(customer, "sales", poison).await;
    house.folded().await;
    assert_eq!(total(&reports, customer).await, 2);
    assert_eq!(feed(&house).await.len(), 2);
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
    verified(&other).await;
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_discarded_stays_out_of_a_rebuild_that_could_fold_it() {
    let (house, reports) = House::start().await;
    let customer = customer();
    refuse(&house, "big.deal").await;
    let poison = house.record(customer, "1", content("big.deal", "ada", "2026-03-01T10:00:00Z")).await;
    house.record(customer, "2", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    let letter = id(&house, customer, "feed", poison);
    let resolved = crate::discard(house.pool(), &house.log, &letter).await.unwrap();
    assert_eq!((resolved.folded, resolved.stopped_at), (0, None));
    house.discard(customer, "feed", poison).await;
    house.folded().await;
    everything_is_accounted_for(&house).await;
    // The tables of a new generation have room for it.
    verified(&house).await;
    assert_eq!(
        feed(&house).await.iter().map(|(id, ..)| id.as_str()).collect::<Vec<_>>(),
        ["2", "2"],
        "both generations"
    );
    let status = crate::status(house.pool()).await.unwrap();
    let feed = status.iter().find(|projection| projection.name == "feed").unwrap();
    assert_eq!(feed.generation, 2);
    assert_eq!(feed.partitions.iter().map(|one| one.discarded).sum::<i64>(), 1);
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
    assert_eq!((own.len(), all.len()), (6, 9));
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
    let foreign = id(&house, customer, "feed", poisons[0]);
    let hidden = dead_letter(house.pool(), &foreign, Some(other)).await.unwrap_err();
    assert!(matches!(hidden, DeadLetterError::NotFound), "{hidden}");
    reports.stop().await;
}
