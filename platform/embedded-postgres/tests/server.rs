//! A real server, started, killed and found again.
#![expect(clippy::unwrap_used, reason = "tests end by panicking, in what they share too")]

mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use embedded_postgres::{DATABASES, Error, Options, Server, exists};
use support::{Serve, is_root, number, postmaster_pid, query, run};

#[tokio::test]
async fn a_stopped_server_finds_its_data_and_its_port_again() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!exists(dir.path()).unwrap());
    let server = Server::start(Options::new(dir.path())).await.unwrap();
    assert!(exists(dir.path()).unwrap());
    run(&server.database_url("activities"), "CREATE TABLE kept AS SELECT 42::int8 AS n").await;
    let (port, admin_url) = (server.port(), server.admin_url());

    let second = Server::start(Options::new(dir.path())).await.unwrap_err();
    let pid = std::process::id().to_string();
    assert!(matches!(&second, Error::AlreadyRunning { pid: holder, .. } if *holder == pid), "{second}");
    server.stop().await.unwrap();

    let server = Server::start(Options::new(dir.path())).await.unwrap();
    assert_eq!((server.port(), server.admin_url()), (port, admin_url));
    assert_eq!(number(&server.database_url("activities"), "SELECT n FROM kept").await, 42);
    the_settings_and_rights_are_ours(&server).await;
    server.stop().await.unwrap();

    // Somebody takes the port: another one is chosen, unless that very port was asked for.
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let insisting = Options { port: Some(port), ..Options::new(dir.path()) };
    assert!(matches!(Server::start(insisting).await.unwrap_err(), Error::PortTaken(taken) if taken == port));
    let server = Server::start(Options::new(dir.path())).await.unwrap();
    assert_ne!(server.port(), port);
    assert_eq!(number(&server.database_url("activities"), "SELECT n FROM kept").await, 42);
    server.stop().await.unwrap();

    fs::write(dir.path().join("postgres/cluster/PG_VERSION"), "9.6\n").unwrap();
    let other = Server::start(Options::new(dir.path())).await.unwrap_err();
    assert!(matches!(&other, Error::OtherVersion { found, .. } if found == "9.6"), "{other}");
}

async fn the_settings_and_rights_are_ours(server: &Server) {
    let admin = server.admin_url();
    for (name, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("max_connections", "200"),
        ("shared_buffers", "256MB"),
        ("max_wal_size", "4GB"),
        ("wal_level", "minimal"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "127.0.0.1"),
        ("jit", "off"),
    ] {
        assert_eq!(query(&admin, &format!("SELECT current_setting('{name}')")).await, value, "{name}");
    }
    for database in DATABASES {
        let sql =
            format!("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = '{database}'");
        assert_eq!(query(&admin, &sql).await, "daybook");
    }
    let role = server.database_url("reports");
    assert_eq!(
        query(&role, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user").await,
        "false"
    );
    let wrong = server.database_url("reports").replace("postgres://daybook:", "postgres://daybook:x");
    assert!(support::connect(&wrong).await.is_err(), "a wrong password is refused");
}

#[tokio::test]
async fn a_chosen_password_of_the_role_holds_for_one_start() {
    let dir = tempfile::tempdir().unwrap();
    let chosen = || Options { role_password: Some("daybook".to_owned()), ..Options::new(dir.path()) };
    for _ in 0..2 {
        let server = Server::start(chosen()).await.unwrap();
        let url = server.database_url("customers");
        assert!(url.starts_with("postgres://daybook:daybook@127.0.0.1:"), "{url}");
        run(&url, "SELECT 1").await;
        server.stop().await.unwrap();

        let server = Server::start(Options::new(dir.path())).await.unwrap();
        run(&server.database_url("customers"), "SELECT 1").await;
        let chosen_before =
            format!("postgres://daybook:daybook@127.0.0.1:{}/daybook_customers", server.port());
        assert!(support::connect(&chosen_before).await.is_err(), "it was chosen for the last start only");
        server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_survives_every_way_of_being_killed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Serve::start(dir.path());
    run(&server.url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n").await;

    // The whole of the program's process group, which the server is not in: it is left over, and busy.
    let (left_over, url) = (postmaster_pid(dir.path()), server.url.clone());
    let busy = tokio::spawn(async move { query(&url, "SELECT pg_sleep(60)::text").await });
    let busy_now =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(60)%' AND pid <> pg_backend_pid()";
    let under_way = async { while number(&server.url, busy_now).await == 0 {} };
    tokio::time::timeout(support::PATIENCE, under_way).await.expect("the statement never began");
    server.kill_group();
    assert!(support::is_alive(left_over));
    let server = Serve::start(dir.path());
    assert!(!support::is_alive(left_over));
    assert!(busy.await.is_err(), "the old server's client is cut off");
    assert_eq!(number(&server.url, "SELECT count(*) FROM kept").await, 1000);

    // The program, the server and all its children, as when a container is killed.
    run(&server.url, "INSERT INTO kept SELECT generate_series(1001, 2000)").await;
    let family = support::family(postmaster_pid(dir.path()));
    assert!(family.len() > 3, "{family:?}");
    server.kill_group();
    for pid in family {
        support::kill(pid);
    }
    // Its number now belongs to a program that lives: this one.
    let pid_file = dir.path().join("postgres/cluster/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    let server = Serve::start(dir.path());
    assert_eq!(number(&server.url, "SELECT count(*) FROM kept").await, 2000);

    // The postmaster alone.
    support::kill(postmaster_pid(dir.path()));
    assert!(server.wait().contains("ended by itself"));
    let mut server = Server::start(Options::new(dir.path())).await.unwrap();
    assert_eq!(number(&server.admin_url(), "SELECT count(*) FROM kept").await, 2000);
    support::kill(postmaster_pid(dir.path()));
    assert!(matches!(server.ended().await, Error::Ended { .. }));
}

#[tokio::test]
async fn an_initialization_broken_off_leaves_nothing_broken() {
    let dir = tempfile::tempdir().unwrap();
    let start = Server::start(Options::new(dir.path()));
    let unfinished = || {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().contains("unfinished")).count()
    };
    tokio::select! {
        _ = start => panic!("it was not broken off"),
        () = support::until("initdb is under way", || unfinished() > 0) => {}
    }
    assert!(!exists(dir.path()).unwrap());
    // As an initdb leaves it that was killed with the program.
    fs::create_dir_all(dir.path().join("postgres-unfinished-1/cluster/base")).unwrap();
    Server::start(Options::new(dir.path())).await.unwrap().stop().await.unwrap();
    assert_eq!(unfinished(), 0);
}

/// Run by root only can this be seen; for an ordinary user every other test is this test.
#[tokio::test]
async fn it_runs_as_an_ordinary_user_and_as_root_on_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    if !is_root() {
        Server::start(Options::new(dir.path())).await.unwrap().stop().await.unwrap();
        return;
    }
    let nobody = support::nobody();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data_dir = dir.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    std::os::unix::fs::chown(&data_dir, Some(nobody), Some(nobody)).unwrap();
    let cache = support::copy_cache(dir.path());

    let server = Serve::start_as(nobody, &data_dir, dir.path(), &cache);
    run(&server.url, "CREATE TABLE kept AS SELECT 7::int8 AS n").await;
    server.stop();
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    assert_eq!(number(&server.admin_url(), "SELECT n FROM kept").await, 7);
    server.stop().await.unwrap();
    let server = Serve::start_as(nobody, &data_dir, dir.path(), &cache);
    assert_eq!(number(&server.url, "SELECT n FROM kept").await, 7);
    server.stop();
}

/// Run by root only can this be seen: an ordinary user's PostgreSQL reaches what the user reaches.
#[tokio::test]
async fn a_data_folder_that_the_unprivileged_user_cannot_reach_is_refused_and_serves_once_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = closed.join("data");
    if is_root() {
        let error = Server::start(Options::new(&data_dir)).await.unwrap_err();
        let in_the_way = fs::canonicalize(&closed).unwrap();
        assert!(matches!(&error, Error::OutOfReach { closed, .. } if *closed == in_the_way), "{error}");
        let said = error.to_string();
        assert!(said.contains("--data-dir") && !said.contains('\n'), "{said}");
        assert!(!exists(&data_dir).unwrap());
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o701)).unwrap();
    }
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    assert!(server.dir().starts_with(fs::canonicalize(&data_dir).unwrap()));
    server.stop().await.unwrap();
    if is_root() {
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let error = Server::start(Options::new(&data_dir)).await.unwrap_err();
        assert!(matches!(error, Error::OutOfReach { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_copy_of_a_stopped_folder_has_everything() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (original, copy) = (dir.path().join("original"), dir.path().join("copy"));
    let server = Server::start(Options::new(&original)).await.unwrap();
    run(&server.database_url("activities"), "CREATE TABLE kept AS SELECT 42::int8 AS n").await;
    server.stop().await.unwrap();
    let copying = std::process::Command::new("cp").arg("-a").args([&original, &copy]).status().unwrap();
    assert!(copying.success());
    fs::remove_dir_all(&original).unwrap();
    let server = Server::start(Options::new(&copy)).await.unwrap();
    assert_eq!(number(&server.database_url("activities"), "SELECT n FROM kept").await, 42);
    server.stop().await.unwrap();
    // And the folder that is gone comes back with nothing of it.
    let server = Server::start(Options::new(&original)).await.unwrap();
    let found = "SELECT count(*) FROM pg_class WHERE relname = 'kept'";
    assert_eq!(number(&server.database_url("activities"), found).await, 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_whose_cluster_lies_elsewhere_is_refused_with_the_way_to_move_it_and_never_started_anew() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (data_dir, elsewhere) = (dir.path().join("data"), dir.path().join("elsewhere"));
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    run(&server.admin_url(), "CREATE TABLE kept AS SELECT 7::int8 AS n").await;
    server.stop().await.unwrap();
    // As an earlier version left it.
    fs::rename(data_dir.join("postgres"), &elsewhere).unwrap();
    fs::write(data_dir.join("postgres.location"), format!("{}\n", elsewhere.display())).unwrap();
    let error = Server::start(Options::new(&data_dir)).await.unwrap_err();
    assert!(matches!(error, Error::Elsewhere { .. }) && exists(&data_dir).is_err(), "{error}");

    // The commands that it names, with a folder of this test in the place of the one that they name.
    let said = error.to_string();
    let commands = said.split_once("reach: ").unwrap().1.split_once(", then start").unwrap().0;
    let joined = dir.path().join("joined");
    let commands = commands.replace("/srv/daybook", joined.to_str().unwrap());
    assert!(std::process::Command::new("sh").args(["-ec", &commands]).status().unwrap().success());
    let server = Server::start(Options::new(&joined)).await.unwrap();
    assert_eq!(number(&server.admin_url(), "SELECT n FROM kept").await, 7);
    server.stop().await.unwrap();

    let error = Server::start(Options::new(&data_dir)).await.unwrap_err();
    assert!(matches!(error, Error::ElsewhereGone { .. }), "{error}");
    assert!(!data_dir.join("postgres").exists());
}
