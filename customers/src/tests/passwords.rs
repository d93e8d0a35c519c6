use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use chrono::{TimeDelta, Utc};
use domain::{MemberId, Partitions};
use event_store::{Appender, AppenderConfig, EventLog};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::house::{Answer, House, KEY, PASSWORD};
use crate::PasswordResets;
use crate::sessions::lifetimes::Lifetimes;
use crate::sessions::origin::Origin;
use crate::sessions::table as sessions;

const NEW: &str = "staple of another stable";
const EMAIL: &str = "ada@example.com";

async fn change(house: &House, who: &Answer, old: &str, new: &str) -> Answer {
    let (cookie, csrf_token) = (who.cookie(), who.body["csrf_token"].as_str().unwrap().to_owned());
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf_token.as_str())];
    let body = json!({"old_password": old, "new_password": new});
    house.send(Method::POST, "/v1/password", &headers, body).await
}

async fn reset(house: &House, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    house.send(Method::POST, "/v1/password/reset", &[], body).await
}

async fn log_in(house: &House, email: &str, password: &str) -> u16 {
    let body = json!({"email": email, "password": password});
    house.send(Method::POST, "/v1/session", &[], body).await.status.as_u16()
}

async fn is_logged_in(house: &House, who: &Answer) -> bool {
    let cookie = who.cookie();
    house.send(Method::GET, "/v1/session", &[("cookie", &cookie)], Value::Null).await.status == StatusCode::OK
}

/// What stands behind the `#` of a link that the operator makes.
async fn operators_link(house: &House, email: &str) -> Option<String> {
    let log = EventLog::open(house.database.pool().clone(), Partitions::ONE).await.unwrap();
    let (mut tasks, ended) = (JoinSet::new(), CancellationToken::new());
    let config = AppenderConfig { appenders: 1, ..AppenderConfig::default() };
    let appender = Appender::start(&log, config, &mut tasks, &ended);
    let cause = access::Cause::operator();
    let offered = PasswordResets::new(log, appender).offer(email, cause).await.unwrap();
    ended.cancel();
    tasks.join_all().await;
    let url = offered?.url("https://daybook.example.com/");
    Some(url.strip_prefix("https://daybook.example.com/reset-password#token=").unwrap().to_owned())
}

async fn events(house: &House) -> Vec<(String, Value)> {
    sqlx::query_as(
        "SELECT event_type, payload::jsonb || metadata::jsonb FROM events WHERE event_type LIKE 'Password%'
          ORDER BY position",
    )
    .fetch_all(house.database.pool())
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_changes_the_password_and_the_other_sessions_end() {
    let house = House::start().await;
    let here = house.sign_up(EMAIL).await;
    let there = house.log_in(EMAIL).await;
    let changed = change(&house, &here, PASSWORD, NEW).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.body);
    assert!(is_logged_in(&house, &here).await);
    assert!(!is_logged_in(&house, &there).await, "another session outlived the change");
    assert_eq!((log_in(&house, EMAIL, PASSWORD).await, log_in(&house, EMAIL, NEW).await), (401, 200));
    // And once more, by the password that the log knows now.
    assert_eq!(change(&house, &here, NEW, PASSWORD).await.status, StatusCode::NO_CONTENT);
    assert_eq!(log_in(&house, EMAIL, PASSWORD).await, 200);

    let events = events(&house).await;
    assert_eq!(events.len(), 2);
    let member = here.body["member"]["id"].as_str().unwrap();
    for (event_type, event) in events {
        assert_eq!((event_type.as_str(), &event["member_id"]), ("PasswordChanged", &json!(member)));
        assert_eq!(event["subject"], format!("member:{member}"));
        assert!(!event.to_string().contains("argon2"), "no hash is in the log: {event}");
    }
    let waiting: (i64,) =
        sqlx::query_as("SELECT count(*) FROM new_passwords").fetch_one(house.database.pool()).await.unwrap();
    assert_eq!(waiting.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_only_by_whoever_knows_the_old_one() {
    let house = House::with(&[("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "2")]).await;
    let ada = house.sign_up(EMAIL).await;
    let nobody = json!({"old_password": PASSWORD, "new_password": NEW});
    let nobody = house.send(Method::POST, "/v1/password", &[], nobody).await;
    assert_eq!(nobody.problem(), (401, "/problems/session-missing"));
    let cookie = ada.cookie();
    let forged = json!({"old_password": PASSWORD, "new_password": NEW});
    let forged = house.send(Method::POST, "/v1/password", &[("cookie", &cookie)], forged).await;
    assert_eq!(forged.problem(), (403, "/problems/csrf-token-missing"));
    assert_eq!(change(&house, &ada, PASSWORD, "short").await.pointers(), ["/new_password"]);
    assert_eq!(change(&house, &ada, PASSWORD, PASSWORD).await.pointers(), ["/new_password"]);
    for _ in 0..2 {
        assert_eq!(change(&house, &ada, "not the right one", NEW).await.pointers(), ["/old_password"]);
    }
    assert_eq!(change(&house, &ada, PASSWORD, NEW).await.problem(), (429, "/problems/too-many-log-ins"));
    assert_eq!(events(&house).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_ends_every_session() {
    let house = House::start().await;
    let ada = house.sign_up(EMAIL).await;
    assert_eq!(operators_link(&house, "nobody@example.com").await, None);
    let first = operators_link(&house, "ADA@example.com").await.unwrap();
    let second = operators_link(&house, EMAIL).await.unwrap();
    let stored: (String,) = sqlx::query_as("SELECT string_agg(r::text, ' ') FROM password_resets r")
        .fetch_one(house.database.pool())
        .await
        .unwrap();
    assert!(!stored.0.contains(&second[4..]), "the link is not kept");

    let gone = (404, "/problems/reset-not-found");
    assert_eq!(reset(&house, &first, NEW).await.problem(), gone, "a second link takes its place");
    assert_eq!(reset(&house, "dbp_nothing", NEW).await.problem(), gone);
    assert_eq!(reset(&house, &second, "ada@example.com").await.pointers(), ["/password"]);
    assert!(is_logged_in(&house, &ada).await, "a link that is not used ends nothing");
    let done = reset(&house, &second, NEW).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.body);
    assert!(!is_logged_in(&house, &ada).await);
    assert_eq!((log_in(&house, EMAIL, PASSWORD).await, log_in(&house, EMAIL, NEW).await), (401, 200));
    assert_eq!(reset(&house, &second, "yet another good one").await.problem(), gone);

    let events = events(&house).await;
    let kinds: Vec<&str> = events.iter().map(|(event_type, _)| event_type.as_str()).collect();
    assert_eq!(kinds, ["PasswordResetRequested", "PasswordResetRequested", "PasswordReset"]);
    assert_eq!(events[1].1["subject"], "operator");
    assert_eq!(events[2].1["reset_id"], events[1].1["reset_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_its_hour_and_with_another_change() {
    let house = House::start().await;
    let ada = house.sign_up(EMAIL).await;
    let gone = (404, "/problems/reset-not-found");
    let old = operators_link(&house, EMAIL).await.unwrap();
    sqlx::query("UPDATE password_resets SET expires_at = now()")
        .execute(house.database.pool())
        .await
        .unwrap();
    assert_eq!(reset(&house, &old, NEW).await.problem(), gone);
    let overtaken = operators_link(&house, EMAIL).await.unwrap();
    assert_eq!(change(&house, &ada, PASSWORD, NEW).await.status, StatusCode::NO_CONTENT);
    assert_eq!(reset(&house, &overtaken, "yet another good one").await.problem(), gone);
    assert_eq!(log_in(&house, EMAIL, NEW).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_locked_out_by_wrong_passwords_comes_in_with_a_new_one() {
    let house = House::with(&[("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "1")]).await;
    house.sign_up(EMAIL).await;
    assert_eq!(
        (log_in(&house, EMAIL, "forgotten it").await, log_in(&house, EMAIL, PASSWORD).await),
        (401, 429)
    );
    let link = operators_link(&house, EMAIL).await.unwrap();
    assert_eq!(reset(&house, &link, NEW).await.status, StatusCode::NO_CONTENT);
    assert_eq!(log_in(&house, EMAIL, NEW).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_was_under_way_does_not_outlive_a_change_of_password() {
    let house = House::start().await;
    let ada = house.sign_up(EMAIL).await;
    let member = MemberId(ada.body["member"]["id"].as_str().unwrap().parse().unwrap());
    let lifetimes = Lifetimes { idle: TimeDelta::days(1), absolute: TimeDelta::days(1) };
    let begin = async |password: Option<Uuid>| {
        let (pool, origin) = (house.database.pool(), Origin::default());
        sessions::insert(pool, member, password, &origin, lifetimes, Utc::now()).await.unwrap().is_some()
    };
    assert!(begin(None).await);
    assert_eq!(change(&house, &ada, PASSWORD, NEW).await.status, StatusCode::NO_CONTENT);
    assert!(!begin(None).await, "a session began with the password of before");
}

async fn forget(house: &House, email: &str, address: &str) -> Answer {
    let headers = [("x-forwarded-for", address), ("x-daybook-internal-key", KEY)];
    house.send(Method::POST, "/v1/password/forgotten", &headers, json!({"email": email})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_an_address_exists_is_not_told_to_who_has_forgotten_the_password() {
    let house = House::with(&[
        ("DAYBOOK_SMTP_URL", "smtp://127.0.0.1:1"),
        ("DAYBOOK_MAIL_FROM", "Daybook <daybook@example.com>"),
        ("DAYBOOK_PUBLIC_URL", "https://daybook.example.com"),
        ("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "2"),
        ("DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX", "5"),
    ])
    .await;
    house.sign_up(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        for n in 0..2 {
            let answer = forget(&house, email, &format!("10.0.0.{n}")).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (202, &json!({"expires_in_s": 3_600})));
        }
        let excess = forget(&house, email, "10.0.0.9").await;
        assert_eq!(excess.problem(), (429, "/problems/too-many-resets"), "{email}");
    }
    for n in 0..5 {
        assert_eq!(forget(&house, &format!("x{n}@example.com"), "10.0.1.1").await.status.as_u16(), 202);
    }
    let excess = forget(&house, "y@example.com", "10.0.1.1").await;
    assert_eq!(excess.problem(), (429, "/problems/too-many-resets"));
    assert_eq!(forget(&house, "no address", "10.0.1.2").await.pointers(), ["/email"]);
    assert_eq!(log_in(&house, EMAIL, PASSWORD).await, 200, "asking for links locks nobody out");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_mail_is_sent_everybody_is_told_whom_to_ask() {
    let house = House::start().await;
    house.sign_up(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        let answer = forget(&house, email, "10.0.0.1").await;
        assert_eq!(answer.problem(), (409, "/problems/mail-not-configured"));
        assert!(answer.body["detail"].as_str().unwrap().contains("daybook members reset-password"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_chose_a_password_before_passwords_were_normalized_still_comes_in() {
    let (composed, decomposed) = ("caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me");
    let house = House::start().await;
    house.sign_up(EMAIL).await;
    let hash = async || -> String {
        let query = "SELECT password_hash FROM credentials";
        sqlx::query_scalar(query).fetch_one(house.database.pool()).await.unwrap()
    };
    for typed in [composed, decomposed] {
        let old = Argon2::default().hash_password(decomposed.as_bytes()).unwrap().to_string();
        sqlx::query("UPDATE credentials SET password_hash = $1")
            .bind(&old)
            .execute(house.database.pool())
            .await
            .unwrap();
        assert_eq!(log_in(&house, EMAIL, typed).await, 200, "{typed:?}");
        assert_ne!(hash().await, old, "its hash is made anew");
        for again in [composed, decomposed] {
            assert_eq!(log_in(&house, EMAIL, again).await, 200, "{again:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_same_on_every_keyboard() {
    let house = House::start().await;
    let (composed, decomposed) = ("zo\u{eb}@example.com", "Zoe\u{308}@example.com");
    assert_eq!(house.sign_up(decomposed).await.status, StatusCode::CREATED);
    assert_eq!(log_in(&house, composed, PASSWORD).await, 200);
    assert_eq!(house.sign_up(composed).await.problem(), (409, "/problems/email-taken"));
    // As addresses were stored before.
    sqlx::query("UPDATE credentials SET email = $1")
        .bind(decomposed.to_lowercase())
        .execute(house.database.pool())
        .await
        .unwrap();
    for typed in [composed, decomposed] {
        assert_eq!(log_in(&house, typed, PASSWORD).await, 200, "{typed:?}");
    }
}
