use sqlx::Executor;

use super::subject::{Subject, append, customer_in};
use crate::{AppendError, AppenderConfig};

#[tokio::test]
async fn a_log_that_refused_to_be_written_is_not_writable_until_it_is_again() {
    let config = AppenderConfig { appenders: 1, retry_max_ms: 50, ..AppenderConfig::default() };
    let subject = Subject::start_with(config, |options| options).await;
    let (pool, appender) = (subject.database.pool(), &subject.appender);
    let activity = || vec![append(customer_in(0), "a", 1, 1)];
    assert_eq!(appender.clone().writable().await, Ok(()));
    let turn = async |state: &str| {
        let mut connection = pool.acquire().await.unwrap();
        let name: String =
            sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut *connection).await.unwrap();
        // A statement of its own: the transaction of what follows begins with it.
        connection.execute("SET default_transaction_read_only = off").await.unwrap();
        let alter = format!("ALTER DATABASE {name} SET default_transaction_read_only = {state}");
        connection.execute(sqlx::raw_sql(&alter)).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        connection.execute(end).await.unwrap();
    };
    turn("on").await;
    let error = appender.append(activity()).await.unwrap_err();
    assert!(matches!(error, AppendError::Unavailable(_)), "{error}");
    let reason = appender.clone().writable().await.unwrap_err();
    assert!(reason.contains("read-only") || reason.contains("cannot be written"), "{reason}");
    turn("off").await;
    super::subject::eventually("it can be written again, without an append", || async {
        appender.clone().writable().await.is_ok()
    })
    .await;
    appender.append(activity()).await.unwrap();
}
