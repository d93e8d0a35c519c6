use domain::{Partition, Partitions};
use sqlx::Executor;

use super::subject::{PARTITIONS, Subject, append, customer_in};
use crate::error::is_transient;
use crate::{Append, EventLog, LogError, append_events};

#[tokio::test]
async fn the_log_refuses_update_delete_and_truncate_even_to_a_superuser() {
    let subject = Subject::start().await;
    subject.appender.append(vec![append(customer_in(0), "a", 1, 1)]).await.unwrap();
    for statement in [
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "TRUNCATE events",
        "TRUNCATE events CASCADE",
    ] {
        let error = subject.database.pool().execute(statement).await.unwrap_err().to_string();
        assert!(error.contains("append-only") || error.contains("permission denied"), "{statement}: {error}");
    }
    assert_eq!(subject.dense().await.len(), 1);
}

#[tokio::test]
async fn nobody_holds_the_privilege_to_change_the_log() {
    let subject = Subject::start().await;
    let holders: Vec<String> = sqlx::query_scalar(
        "SELECT grantee || ' ' || privilege_type FROM information_schema.role_table_grants
          WHERE table_name = 'events' AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')",
    )
    .fetch_all(subject.database.pool())
    .await
    .unwrap();
    assert_eq!(holders, Vec::<String>::new());
}

#[tokio::test]
async fn the_number_of_partitions_is_fixed_when_a_log_is_created() {
    let subject = Subject::start().await;
    let pool = subject.database.pool();
    let error = EventLog::open(pool.clone(), Partitions::new(8).unwrap()).await.unwrap_err();
    assert!(matches!(error, LogError::PartitionsDiffer { stored: PARTITIONS, configured: 8 }), "{error}");
    assert_eq!(EventLog::open_existing(pool.clone()).await.unwrap().partitions().count(), PARTITIONS);
}

#[tokio::test]
async fn an_event_of_a_partition_that_the_log_has_not_is_refused_with_all_that_come_with_it() {
    let subject = Subject::start().await;
    let known = append(customer_in(0), "a", 1, 1);
    let unknown = Append { partition: Partition(PARTITIONS), ..append(customer_in(1), "b", 1, 1) };
    let mut connection = subject.database.pool().acquire().await.unwrap();
    let error = append_events(&mut connection, &[&known, &unknown]).await.unwrap_err();
    assert!(!is_transient(&error), "{error}");
    assert_eq!(subject.dense().await.len(), 0);
}
