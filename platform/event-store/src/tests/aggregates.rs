use std::collections::HashMap;
use std::sync::Arc;

use domain::activity::{Activity, ActivityCommand, ActivityError, Pending};
use domain::{ActivityId, CustomerId};
use uuid::Uuid;

use super::subject::{Subject, customer_in};
use crate::{Aggregates, ExecuteError, Repository};

fn aggregates(subject: &Subject) -> Aggregates<Activity> {
    Aggregates::new(Repository::new(subject.log.clone(), subject.appender.clone()))
}

fn recorded() -> ActivityCommand {
    let pending: Pending = serde_json::from_str(
        r#"{"type":"order.paid","actor":"ada","value":12.5,"properties":{"plan":"pro","n":[1,2]}}"#,
    )
    .unwrap();
    let (_, content) = pending.check(chrono::Utc::now(), || ActivityId::from_uuid(Uuid::now_v7())).unwrap();
    ActivityCommand::RecordActivity { content }
}

fn correct(json: &str, expected_sequence: Option<u64>) -> ActivityCommand {
    let revision = serde_json::from_str(json).unwrap();
    ActivityCommand::CorrectActivity { revision, expected_sequence, now: chrono::Utc::now() }
}

async fn recorded_stream(aggregates: &Aggregates<Activity>) -> (CustomerId, String) {
    let customer = customer_in(1);
    let stream = format!("{customer}:order-1");
    aggregates.execute(&stream, recorded(), HashMap::new()).await.unwrap();
    (customer, stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_is_loaded_as_it_was_left() {
    let subject = Subject::start().await;
    let aggregates = aggregates(&subject);
    let (customer, stream) = recorded_stream(&aggregates).await;
    let metadata = HashMap::from([("request_id".to_owned(), "r-1".to_owned())]);
    aggregates.execute(&stream, correct(r#"{"value":13}"#, Some(1)), metadata).await.unwrap();
    aggregates
        .execute(&stream, ActivityCommand::RedactActivity { expected_sequence: Some(2) }, HashMap::new())
        .await
        .unwrap();

    let activity = aggregates.load(&stream).await.unwrap();
    assert_eq!((activity.sequence, activity.redacted), (3, true));
    let content = activity.content.unwrap();
    assert_eq!(
        (content.value, content.properties.unwrap().as_str()),
        (Some(13.0), r#"{"n":[1,2],"plan":"pro"}"#)
    );
    let events =
        subject.log.read_stream(subject.log.partitions().of(customer), "activity", &stream).await.unwrap();
    assert_eq!(events[1].metadata.as_str(), r#"{"request_id":"r-1"}"#);
    assert_eq!(events[0].event_type, "ActivityRecorded");
    assert!(
        events[0].payload.as_str().starts_with(r#"{"actor""#),
        "payloads lie flat: {}",
        events[0].payload.as_str()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_one_stream_follow_each_other_without_loss() {
    let subject = Subject::start().await;
    let aggregates = Arc::new(aggregates(&subject));
    let (_, stream) = recorded_stream(&aggregates).await;
    let mut commands = tokio::task::JoinSet::new();
    for n in 0..4 {
        let (aggregates, stream) = (Arc::clone(&aggregates), stream.clone());
        commands.spawn(async move {
            aggregates.execute(&stream, correct(&format!(r#"{{"value":{n}}}"#), None), HashMap::new()).await
        });
    }
    for outcome in commands.join_all().await {
        outcome.unwrap();
    }
    assert_eq!(aggregates.load(&stream).await.unwrap().sequence, 5);
    let stale =
        aggregates.execute(&stream, correct(r#"{"value":99}"#, Some(1)), HashMap::new()).await.unwrap_err();
    assert!(matches!(stale, ExecuteError::Refused(ActivityError::SequenceMismatch { actual: 5 })), "{stale}");
}
