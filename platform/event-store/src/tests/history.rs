use chrono::{DateTime, Utc};
use domain::{CustomerId, Partition};
use futures::TryStreamExt;

use super::subject::{Subject, append, customer_in};
use crate::{HistoryFilter, HistoryPage, HistoryQuery, LOOKED_AT_EVENTS_MAX, RecordedEvent, StreamQuery};

/// More than a page of each of two partitions, written in turns.
async fn written() -> Subject {
    let subject = Subject::start().await;
    let customers = [customer_in(0), customer_in(2)];
    for round in 0..25 {
        for customer in customers {
            let call = (0..50).map(|n| append(customer, &format!("{round}-{n}"), 1, 1)).collect();
            subject.appender.append(call).await.unwrap();
        }
    }
    subject
}

#[tokio::test]
async fn a_replay_of_the_whole_log_is_complete_and_in_order_of_time() {
    let subject = written().await;
    let all: Vec<RecordedEvent> =
        subject.history().replay(HistoryFilter::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), subject.dense().await.len());
    let keys: Vec<_> = all.iter().map(|event| (event.recorded_at, event.partition, event.position)).collect();
    assert!(keys.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn a_replay_of_a_partition_loses_nothing_between_pages() {
    let subject = written().await;
    let replay = |after, filter| {
        subject.history().replay_partition(Partition(2), after, filter).try_collect::<Vec<_>>()
    };
    let positions =
        |events: Vec<RecordedEvent>| events.iter().map(|event| event.position).collect::<Vec<_>>();
    assert_eq!(positions(replay(0, HistoryFilter::default()).await.unwrap()), (1..=1250).collect::<Vec<_>>());
    let until = HistoryFilter { to: Some(1_100), ..HistoryFilter::default() };
    assert_eq!(positions(replay(1_090, until).await.unwrap()), (1_091..=1_100).collect::<Vec<_>>());
    let by_actor = HistoryFilter {
        actor: Some("7-3".into()),
        activity_type: Some("t0".into()),
        ..HistoryFilter::default()
    };
    assert_eq!(replay(0, by_actor).await.unwrap().len(), 1);
    let nobody = HistoryFilter { customer_id: Some(customer_in(2)), ..HistoryFilter::default() };
    assert_eq!(replay(0, nobody).await.unwrap().len(), 0);
}

const PARTITION: Partition = Partition(2);
const BYTES_MAX: usize = 1024 * 1024;

async fn page(subject: &Subject, after: i64, limit: usize, filter: HistoryFilter) -> HistoryPage {
    let query = HistoryQuery { partition: PARTITION, after, limit, bytes_max: BYTES_MAX, filter };
    subject.history().page(&query).await.unwrap()
}

fn positions(page: &HistoryPage) -> Vec<i64> {
    page.events.iter().map(|event| event.position).collect()
}

/// Stores as many events as asked for, each of its own stream.
async fn store(subject: &Subject, customer: CustomerId, events: usize) {
    for first in (0..events).step_by(1_000) {
        let streams = first..events.min(first + 1_000);
        let appends = streams.map(|n| append(customer, &format!("{customer}-{n}"), 1, 1)).collect();
        subject.appender.append(appends).await.unwrap();
    }
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_events_and_the_next_one_goes_on_there() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    store(&subject, customer, LOOKED_AT_EVENTS_MAX + 1_000).await;
    subject.appender.append(vec![append(customer, "last", 1, 1)]).await.unwrap();
    for customer_id in [Some(customer), None] {
        let filter = HistoryFilter { customer_id, actor: Some("last".into()), ..HistoryFilter::default() };
        let first = page(&subject, 0, 10, filter.clone()).await;
        let next = first.next.unwrap();
        assert!(first.events.is_empty(), "{:?}", positions(&first));
        assert!((next as usize) < LOOKED_AT_EVENTS_MAX + 1_000, "it looked at {next}");
        let second = page(&subject, next, 10, filter.clone()).await;
        assert_eq!((positions(&second), second.next), (vec![LOOKED_AT_EVENTS_MAX as i64 + 1_001], None));
        // A stream goes on by itself.
        let replayed: Vec<_> =
            subject.history().replay_partition(PARTITION, 0, filter).try_collect().await.unwrap();
        assert_eq!(replayed.len(), 1);
    }
}

#[tokio::test]
async fn others_in_the_same_partition_are_not_looked_at() {
    let subject = Subject::start().await;
    let (customer, other) = (customer_in(PARTITION.0), customer_in(PARTITION.0));
    store(&subject, customer, 1).await;
    store(&subject, other, LOOKED_AT_EVENTS_MAX + 1_000).await;
    store(&subject, customer, 1).await;
    subject.appender.append(vec![append(customer, "last", 1, 1)]).await.unwrap();
    let filter = HistoryFilter {
        customer_id: Some(customer),
        activity_type: Some("t0".into()),
        ..HistoryFilter::default()
    };
    let found = page(&subject, 0, 10, filter).await;
    assert_eq!((positions(&found), found.next), (vec![1, LOOKED_AT_EVENTS_MAX as i64 + 1_002], None));
}

#[tokio::test]
async fn a_page_is_full_at_its_limit_of_events_or_of_bytes_and_loses_nothing() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    let large = "x".repeat(30_000);
    for n in 0..50 {
        let mut append = append(customer, &n.to_string(), 1, 1);
        append.events[0].payload = format!(r#"{{"type":"t","actor":"{n}","text":"{large}"}}"#);
        subject.appender.append(vec![append]).await.unwrap();
    }
    for filter in [
        HistoryFilter::default(),
        HistoryFilter {
            customer_id: Some(customer),
            activity_type: Some("t".into()),
            ..HistoryFilter::default()
        },
    ] {
        let (mut after, mut seen, mut lengths) = (0, Vec::new(), Vec::new());
        loop {
            let page = page(&subject, after, 40, filter.clone()).await;
            seen.extend(positions(&page));
            lengths.push(page.events.len());
            let Some(next) = page.next else { break };
            after = next;
        }
        assert_eq!(seen, (1..=50).collect::<Vec<_>>());
        assert_eq!(lengths, [34, 16], "of 30,000 bytes each, {BYTES_MAX} bytes hold 34");
        let limited = page(&subject, 0, 3, filter).await;
        assert_eq!((positions(&limited), limited.next), (vec![1, 2, 3], Some(3)));
    }
    let query = HistoryQuery {
        partition: PARTITION,
        after: 0,
        limit: 10,
        bytes_max: 1,
        filter: HistoryFilter::default(),
    };
    assert_eq!(positions(&subject.history().page(&query).await.unwrap()), [1], "one is always in it");
}

#[tokio::test]
async fn times_are_precise_cuts_wherever_they_lie() {
    let subject = written().await;
    let times: Vec<DateTime<Utc>> = subject
        .dense()
        .await
        .into_iter()
        .filter(|((partition, _), _)| *partition == PARTITION)
        .map(|(_, event)| event.recorded_at)
        .collect();
    let replay = async |since, until| -> Vec<DateTime<Utc>> {
        let filter = HistoryFilter { since, until, ..HistoryFilter::default() };
        let events: Vec<_> =
            subject.history().replay_partition(PARTITION, 0, filter).try_collect().await.unwrap();
        events.into_iter().map(|event| event.recorded_at).collect()
    };
    let tick = chrono::TimeDelta::microseconds(1);
    let (first, middle, last) = (times[0], times[600], times[1_249]);
    for at in [first - tick, first, middle - tick, middle, middle + tick, last, last + tick] {
        let (before, from): (Vec<_>, Vec<_>) = times.iter().partition(|time| **time < at);
        assert_eq!(replay(Some(at), None).await, from, "since {at}");
        assert_eq!(replay(None, Some(at)).await, before, "until {at}");
    }
    assert!(replay(Some(middle), Some(middle)).await.is_empty());
    assert_eq!(replay(None, Some(DateTime::<Utc>::MAX_UTC)).await.len(), times.len());
}

#[tokio::test]
async fn an_event_is_one_line_however_it_was_stored() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    let mut append = append(customer, "a\u{2028}b", 1, 1);
    append.events[0].payload =
        "{\"type\":\"a\",\"properties\":{\"x\":\n{\"partition\":0,\"position\":1}\r\n,\"n\": 1.50}}"
            .to_owned();
    append.events[0].metadata = "{\n\"request_id\" : \"\u{85}\"}".to_owned();
    subject.appender.append(vec![append]).await.unwrap();
    let event = &page(&subject, 0, 1, HistoryFilter::default()).await.events[0];
    assert_eq!(
        event.payload.as_str(),
        r#"{"type":"a","properties":{"x":{"partition":0,"position":1},"n":1.50}}"#
    );
    assert_eq!(event.metadata.as_str(), r#"{"request_id":"\u0085"}"#);
}

#[tokio::test]
async fn a_filter_reads_both_sides_and_what_no_database_could_hold() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    let payloads = [
        r#"{"type":"old","actor":"zo\u00eb"}"#,
        r#"{"before":{"type":"old","actor":"zoë"},"after":{"type":"new","actor":"zoë"}}"#,
        r#"{"before":{"type":"new","actor":"zoë"}}"#,
        r#"{"type":"other","actor":"bob","properties":{"text":"\u0000 \ud800"}}"#,
        "[]",
    ];
    for (n, payload) in payloads.into_iter().enumerate() {
        let mut append = append(customer, &n.to_string(), 1, 1);
        payload.clone_into(&mut append.events[0].payload);
        subject.appender.append(vec![append]).await.unwrap();
    }
    let found = async |actor: Option<&str>, activity_type: Option<&str>| {
        let filter = HistoryFilter {
            actor: actor.map(Into::into),
            activity_type: activity_type.map(Into::into),
            ..HistoryFilter::default()
        };
        positions(&page(&subject, 0, 10, filter).await)
    };
    assert_eq!(found(Some("zoë"), None).await, [1, 2, 3]);
    assert_eq!(found(None, Some("old")).await, [1, 2]);
    assert_eq!(found(None, Some("new")).await, [2, 3]);
    assert_eq!(found(Some("bob"), Some("other")).await, [4]);
    assert_eq!(found(Some("bob"), Some("new")).await, [0; 0]);
}

#[tokio::test]
async fn a_stream_of_any_length_is_read_in_pages_and_from_its_end() {
    let subject = Subject::start().await;
    let customer = customer_in(PARTITION.0);
    let grown = |sequence, events| append(customer, "grown", sequence, events);
    subject.appender.append(vec![grown(1, 1_500)]).await.unwrap();
    subject.appender.append(vec![append(customer, "growing", 1, 1)]).await.unwrap();
    subject.appender.append(vec![grown(1_501, 1)]).await.unwrap();
    let stream = format!("{customer}:grown");
    let (mut query, mut sequences) = (
        StreamQuery {
            partition: PARTITION,
            aggregate_type: "activity",
            aggregate_id: &stream,
            after: 0,
            to: i64::MAX,
            limit: 700,
            bytes_max: BYTES_MAX,
        },
        Vec::new(),
    );
    loop {
        let page = subject.log.stream_page(&query).await.unwrap();
        sequences.extend(page.events.iter().map(|event| event.sequence));
        let Some(next) = page.next else { break };
        query.after = next;
    }
    assert_eq!(sequences, (1..=1_501).collect::<Vec<_>>());
    let cut = subject.log.stream_page(&StreamQuery { after: 0, to: 2, ..query }).await.unwrap();
    assert_eq!((cut.events.len(), cut.next), (2, None));

    let last = async |to| {
        let last = subject.log.read_last(PARTITION, "activity", &stream, to).await.unwrap();
        last.map(|event| (event.sequence, event.recorded_at))
    };
    let (sequence, time) = last(i64::MAX).await.unwrap();
    let (_, before) = last(1_500).await.unwrap();
    assert_eq!((sequence, last(0).await), (1_501, None));
    let at = async |time| subject.log.sequence_at(PARTITION, "activity", &stream, time).await.unwrap();
    let tick = chrono::TimeDelta::microseconds(1);
    assert_eq!((at(time).await, at(time - tick).await), (1_501, 1_500));
    assert_eq!((at(before).await, at(before - tick).await), (1_500, 0));
    assert_eq!(subject.log.sequence_at(PARTITION, "activity", "nobody", time).await.unwrap(), 0);
}
