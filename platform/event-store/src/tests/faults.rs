use sqlx::{ConnectOptions, Executor};

use super::proxy::Proxy;
use super::subject::{PARTITIONS, Subject, append, customer_in, eventually};
use crate::appender::SETTINGS;
use crate::{AppendError, Appended, AppenderConfig, append_events};

/// Whether some connection of this database waits for a lock.
async fn somebody_waits(subject: &Subject) -> bool {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(subject.database.pool())
    .await
    .unwrap();
    waiting > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_held_open_holds_up_its_partition_and_no_reader_passes_it() {
    for commits in [true, false] {
        let subject = Subject::start().await;
        let (held, queued, other) = (customer_in(0), customer_in(0), customer_in(1));
        let mut transaction = subject.database.pool().begin().await.unwrap();
        let first = append(held, "first", 1, 2);
        append_events(&mut transaction, &[&first]).await.unwrap();

        let appender = subject.appender.clone();
        let waiting =
            tokio::spawn(async move { appender.append(vec![append(queued, "second", 1, 1)]).await });
        eventually("the second writer waits for the head", || somebody_waits(&subject)).await;
        assert!(!waiting.is_finished());
        assert_eq!(subject.dense().await.len(), 0, "a reader saw what was not committed");
        // Another partition, another head, another appender: not held up.
        assert!(matches!(
            subject.appender.append(vec![append(other, "third", 1, 1)]).await.unwrap()[..],
            [Appended::Stored { position: 1, .. }]
        ));

        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        let expected = if commits { 3 } else { 1 };
        let outcome = waiting.await.unwrap().unwrap();
        assert!(
            matches!(outcome[..], [Appended::Stored { position, .. }] if position == expected),
            "{outcome:?}"
        );
        assert_eq!(subject.dense().await.len(), expected as usize + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_locked_in_the_order_of_their_partitions() {
    let subject = Subject::start().await;
    let pool = subject.database.pool();
    // The first head now lies behind the others, in a table so small that a scan would be the cheapest way to all of them.
    pool.execute("UPDATE log_head SET position = position WHERE partition = 0; ANALYZE log_head")
        .await
        .unwrap();
    let mut holder = pool.begin().await.unwrap();
    holder.execute("SELECT FROM log_head WHERE partition = 0 FOR UPDATE").await.unwrap();

    let options = subject.database.options().options(SETTINGS);
    let mut connection = options.connect().await.unwrap();
    let appending = tokio::spawn(async move {
        let batch = [append(customer_in(3), "last", 1, 1), append(customer_in(0), "first", 1, 1)];
        append_events(&mut connection, &[&batch[0], &batch[1]]).await
    });
    eventually("the writer waits for the first head", || somebody_waits(&subject)).await;
    pool.execute("SELECT FROM log_head WHERE partition = 3 FOR UPDATE NOWAIT").await.unwrap();

    holder.commit().await.unwrap();
    assert!(matches!(
        appending.await.unwrap().unwrap()[..],
        [Appended::Stored { .. }, Appended::Stored { .. }]
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_killed_between_insert_and_commit_leaves_nothing_and_is_repeated() {
    let subject = Subject::start().await;
    // Runs at the commit, after every row is in, and waits there.
    subject
        .database
        .pool()
        .execute(
            "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON events
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_commit();",
        )
        .await
        .unwrap();
    let mut gate = subject.database.pool().begin().await.unwrap();
    gate.execute("SELECT pg_advisory_xact_lock(42)").await.unwrap();

    let customer = customer_in(0);
    let appender = subject.appender.clone();
    let waiting = tokio::spawn(async move { appender.append(vec![append(customer, "a", 1, 3)]).await });
    eventually("the writer waits at its commit", || somebody_waits(&subject)).await;
    subject.kill_appenders().await;
    gate.rollback().await.unwrap();

    let outcome = waiting.await.unwrap().unwrap();
    assert!(matches!(outcome[..], [Appended::Stored { position: 1, .. }]), "{outcome:?}");
    assert_eq!(subject.dense().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_recognised_and_not_repeated() {
    // With and without a stream that is not new, of which the database tells before it commits the rest.
    for conflicts in [false, true] {
        let proxy = Proxy::start().await;
        let config = AppenderConfig { appenders: 1, ..AppenderConfig::default() };
        let subject = Subject::start_with(config, |options| proxy.in_front_of(options)).await;
        let customer = customer_in(0);
        let before = || append(customer, "before", 1, 1);
        subject.appender.append(vec![before()]).await.unwrap();
        // Both statements are prepared now, so that each has one answer.
        assert_eq!(subject.appender.append(vec![before()]).await.unwrap(), [Appended::Conflict]);

        proxy.swallow_answers_after(u8::from(conflicts));
        let appender = subject.appender.clone();
        let mut call = vec![append(customer, "a", 1, 2), append(customer, "b", 1, 1)];
        if conflicts {
            call.insert(1, before());
        }
        let waiting = tokio::spawn(async move { appender.append(call).await });
        let is_committed = || async { subject.log.heads().await.unwrap()[0].position == 4 };
        eventually("the batch is committed", is_committed).await;
        assert!(!waiting.is_finished(), "the answer was to be lost");
        proxy.cut_and_heal();

        let mut outcome = waiting.await.unwrap().unwrap();
        if conflicts {
            assert_eq!(outcome.remove(1), Appended::Conflict);
        }
        assert!(
            matches!(
                outcome[..],
                [Appended::Stored { position: 2, .. }, Appended::Stored { position: 4, .. }]
            ),
            "{outcome:?}"
        );
        assert_eq!(subject.dense().await.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_out_of_reach_is_said_so_and_comes_back() {
    let proxy = Proxy::start().await;
    let config = AppenderConfig { appenders: 1, retry_max_ms: 200, ..AppenderConfig::default() };
    let subject = Subject::start_with(config, |options| proxy.in_front_of(options)).await;
    let customer = customer_in(0);
    proxy.refuse();
    let outcome = subject.appender.append(vec![append(customer, "a", 1, 1)]).await;
    assert!(matches!(outcome, Err(AppendError::Unavailable(_))), "{outcome:?}");
    proxy.cut_and_heal();
    assert!(matches!(
        subject.appender.append(vec![append(customer, "a", 1, 1)]).await.unwrap()[..],
        [Appended::Stored { position: 1, .. }]
    ));
    assert_eq!(subject.dense().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_database_refuses_costs_nobody_else_anything() {
    let subject = Subject::start().await;
    let mut gate = subject.database.pool().begin().await.unwrap();
    gate.execute("SELECT * FROM log_head FOR UPDATE").await.unwrap();
    let call = |n: u8| {
        let mut one = append(customer_in(0), &n.to_string(), 1, 1);
        if n == 3 {
            one.events[0].payload = "{not json".into();
        }
        subject.appender.append(vec![one])
    };
    let first = tokio::spawn({
        let (appender, one) = (subject.appender.clone(), append(customer_in(0), "first", 1, 1));
        async move { appender.append(vec![one]).await }
    });
    eventually("the first writer waits", || somebody_waits(&subject)).await;
    // An append is in its queue once it has been polled, so these make one group behind the lock.
    let mut calls = futures::future::join_all((0..5).map(call));
    assert!(futures::poll!(&mut calls).is_pending());
    gate.rollback().await.unwrap();
    assert!(matches!(first.await.unwrap().as_deref(), Ok([Appended::Stored { .. }])));
    for (n, outcome) in calls.await.into_iter().enumerate() {
        match n {
            3 => assert!(matches!(outcome, Err(AppendError::Refused(_))), "{outcome:?}"),
            _ => assert!(matches!(outcome.as_deref(), Ok([Appended::Stored { .. }])), "{outcome:?}"),
        }
    }
    assert_eq!(subject.dense().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_empties_again() {
    let config = AppenderConfig { queue_events_max: 10, ..AppenderConfig::default() };
    let subject = Subject::start_with(config, |options| options).await;
    let mut gate = subject.database.pool().begin().await.unwrap();
    gate.execute("SELECT * FROM log_head FOR UPDATE").await.unwrap();
    let appender = subject.appender.clone();
    let waiting = tokio::spawn(async move { appender.append(vec![append(customer_in(0), "a", 1, 8)]).await });
    eventually("a writer waits", || somebody_waits(&subject)).await;
    let refused = subject.appender.append(vec![append(customer_in(1), "b", 1, 3)]).await;
    assert!(matches!(refused, Err(AppendError::QueueFull)), "{refused:?}");
    gate.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
    for partition in 0..PARTITIONS {
        subject.appender.append(vec![append(customer_in(partition), "c", 1, 10)]).await.unwrap();
    }
    assert_eq!(subject.dense().await.len(), 48);
}
