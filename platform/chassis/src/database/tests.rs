use scratch_database::ScratchDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_server_of_its_own_is_taken_and_one_that_forgets_what_it_was_told_is_not() {
    let database = ScratchDatabase::migrated("activities").await;
    let pool = |options| PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    refuse_pooler(&pool(session(database.options(), "test"))).await.unwrap();
    // As a pooler does that is configured to ignore what it does not know.
    let error = refuse_pooler(&pool(database.options())).await.unwrap_err();
    assert!(matches!(error, SessionError::Pooled), "{error}");
}

#[tokio::test]
async fn a_pooler_that_refuses_a_setting_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut startup = [0; 1024];
            let _ = stream.read(&mut startup).await;
            // Word for word what PgBouncer 1.18 sends.
            let fields = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
            let length = (fields.len() as u32 + 4).to_be_bytes();
            let _ = stream.write_all(&[b"E", &length[..], fields].concat()).await;
        }
    });
    let options = PgConnectOptions::new()
        .host("127.0.0.1")
        .port(port)
        .username("u")
        .ssl_mode(sqlx::postgres::PgSslMode::Disable);
    let pool = PgPoolOptions::new()
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(session(options, "test"));
    let error = refuse_pooler(&pool).await.unwrap_err();
    assert!(matches!(error, SessionError::Pooled) && error.to_string().contains("PgBouncer"), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_said_to_be_one() {
    let database = ScratchDatabase::migrated("activities").await;
    let pool = database.pool();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/activities");
    let migrator = sqlx::migrate::Migrator::new(folder).await.unwrap();
    migrate(&migrator, pool).await.unwrap();
    pool.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', true, '', 0)",
    )
    .await
    .unwrap();
    let error = migrate(&migrator, pool).await.unwrap_err();
    assert!(matches!(error, MigrationError::Newer { migration: 9999 }), "{error}");
    assert!(error.to_string().contains("newer version of Daybook"), "{error}");
}
