use domain::{Partition, Partitions};
use sqlx::Executor;

use super::subject::{PARTITIONS, Subject, append, customer_in};
use crate::{Divergence, EventLog, LogError, Stamp};

async fn written(events: usize) -> (Subject, Stamp) {
    let subject = Subject::start().await;
    let call = (0..events).map(|n| append(customer_in(1), &format!("{n}"), 1, 1)).collect();
    subject.appender.append(call).await.unwrap();
    let stamp = subject.log.stamp(Partition(1), events as i64).await.unwrap();
    (subject, stamp)
}

/// Sets a log back as the restore of an older backup does, for which the triggers do not exist.
async fn set_back(subject: &Subject, partition: Partition, to: i64) {
    let mut connection = subject.database.pool().acquire().await.unwrap();
    connection.execute("SET session_replication_role = replica").await.unwrap();
    sqlx::query("DELETE FROM events WHERE partition = $1 AND position > $2")
        .bind(i32::from(partition.0))
        .bind(to)
        .execute(&mut *connection)
        .await
        .unwrap();
    sqlx::query("UPDATE log_head SET position = $2 WHERE partition = $1")
        .bind(i32::from(partition.0))
        .bind(to)
        .execute(&mut *connection)
        .await
        .unwrap();
    connection.execute("SET session_replication_role = DEFAULT").await.unwrap();
}

fn divergence(outcome: Result<(), LogError>) -> Divergence {
    match outcome {
        Err(LogError::Diverged(divergence)) => divergence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_log_has_one_identity_for_ever_and_another_log_has_another() {
    let (subject, other) = (Subject::start().await, Subject::start().await);
    let id = subject.log.id().await.unwrap();
    assert_ne!(id, other.log.id().await.unwrap());
    let partitions = Partitions::new(PARTITIONS).unwrap();
    let again = EventLog::open(subject.database.pool().clone(), partitions).await.unwrap();
    assert_eq!(again.id().await.unwrap(), id);
    for statement in [
        "UPDATE log_identity SET log_id = gen_random_uuid()",
        "DELETE FROM log_identity",
        "TRUNCATE log_identity",
        "INSERT INTO log_identity DEFAULT VALUES",
    ] {
        assert!(subject.database.pool().execute(statement).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn a_stamp_is_that_of_the_event_and_is_found_again() {
    let (subject, stamp) = written(3).await;
    let events = subject.log.read(Partition(1), 2, 1).await.unwrap();
    assert_eq!(events[0].stamp(subject.log.id().await.unwrap()), stamp);
    subject.appender.append(vec![append(customer_in(1), "later", 1, 1)]).await.unwrap();
    subject.log.check(&stamp).await.unwrap();
    let none = subject.log.stamp(Partition(1), 5).await.map(|_| ());
    assert_eq!(divergence(none), Divergence::Missing { partition: Partition(1), position: 5 });
}

#[tokio::test]
async fn a_log_that_was_set_back_is_recognised_before_and_after_it_has_gone_on() {
    let (subject, read) = written(3).await;
    let kept = subject.log.stamp(Partition(1), 2).await.unwrap();
    set_back(&subject, Partition(1), 2).await;
    subject.log.check(&kept).await.unwrap();
    let missing = divergence(subject.log.check(&read).await);
    assert_eq!(missing, Divergence::Missing { partition: Partition(1), position: 3 });
    subject.appender.append(vec![append(customer_in(1), "2", 1, 1)]).await.unwrap();
    let other = divergence(subject.log.check(&read).await);
    assert!(matches!(other, Divergence::OtherEvent { expected, found }
        if expected == read && found.position == 3 && found.event_id != read.event_id));
}

#[tokio::test]
async fn another_log_is_recognised_whatever_positions_it_has() {
    let (subject, read) = written(3).await;
    for events in [1, 5] {
        let (other, _) = written(events).await;
        let found = other.log.id().await.unwrap();
        let divergence = divergence(other.log.check(&read).await);
        assert_eq!(divergence, Divergence::OtherLog { expected: read.log_id, found });
    }
    subject.log.check(&read).await.unwrap();
}
