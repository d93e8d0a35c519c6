use domain::Partition;
use futures::TryStreamExt;

use super::subject::{Subject, append, customer_in};
use crate::{HistoryFilter, RecordedEvent};

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
    let all: Vec<RecordedEvent> = subject.log.replay(HistoryFilter::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), subject.dense().await.len());
    let keys: Vec<_> = all.iter().map(|event| (event.recorded_at, event.partition, event.position)).collect();
    assert!(keys.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn a_replay_of_a_partition_loses_nothing_between_pages() {
    let subject = written().await;
    let replay =
        |after, filter| subject.log.replay_partition(Partition(2), after, filter).try_collect::<Vec<_>>();
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
