use chrono::{TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::House;
use crate::passwords::credentials::RESERVATION_S;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_signs_up_and_is_logged_in() {
    let house = House::start().await;
    let answer = house.sign_up(" Ada@Example.com ").await;
    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!(answer.body["member"]["email"], "ada@example.com");
    assert_eq!(answer.body["member"]["role"], "owner");
    assert_eq!(answer.body["scopes"], json!(["ingest", "read", "audit", "admin"]));
    assert_eq!(answer.body["time_zone"], "Europe/Berlin");
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"), "{cookie}");

    let taken = house.sign_up("ada@example.com").await;
    assert_eq!(taken.problem(), (409, "/problems/email-taken"));

    // Who did it and with which request is in the log; the password is not.
    let log: Vec<(Value, Value)> = sqlx::query_as("SELECT payload::jsonb, metadata::jsonb FROM events")
        .fetch_all(house.database.pool())
        .await
        .unwrap();
    let [(payload, metadata)] = log.as_slice() else { panic!("{} events", log.len()) };
    let member = answer.body["member"]["id"].as_str().unwrap();
    assert_eq!(*metadata, json!({"request_id": "r-1", "subject": format!("member:{member}")}));
    assert!(payload.get("password").is_none() && payload.get("password_hash").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_sign_up_is_named() {
    let house = House::start().await;
    let sign_up = async |body: Value| house.send(Method::POST, "/v1/customers", &[], body).await;
    let all = json!({"name": "\u{0}", "email": "x", "password": "short", "time_zone": "Mars"});
    let answer = sign_up(all).await;
    assert_eq!(answer.problem(), (422, "/problems/invalid-content"));
    assert_eq!(answer.pointers(), ["/name", "/email", "/password", "/time_zone"]);
    let common = json!({"name": "a", "email": "a@b.c", "password": "Password2026!"});
    assert_eq!(sign_up(common).await.pointers(), ["/password"]);
    let long = json!({"name": "a", "email": "a@b.c", "password": "correct horse battery".repeat(7)});
    assert_eq!(sign_up(long).await.pointers(), ["/password"]);
    let plan = json!({"name": "a", "email": "a@b.c", "password": "twelve chars", "plan": "free"});
    assert_eq!(sign_up(plan).await.pointers(), ["/plan"]);
    assert_eq!(sign_up(json!({"name": "a", "email": "a@b.c"})).await.pointers(), ["/password"]);
}

async fn reserved(house: &House, email: &str, age_s: i64) {
    sqlx::query("INSERT INTO credentials VALUES ($1, $2, $3, 'x', $4)")
        .bind(Uuid::now_v7())
        .bind(Uuid::now_v7())
        .bind(email)
        .bind(Utc::now() - TimeDelta::seconds(age_s))
        .execute(house.database.pool())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_a_crash_left_behind_is_free_again() {
    let house = House::start().await;
    reserved(&house, "ada@example.com", RESERVATION_S - 10).await;
    assert_eq!(house.sign_up("ada@example.com").await.problem(), (409, "/problems/email-taken"));
    reserved(&house, "bob@example.com", RESERVATION_S + 1).await;
    assert_eq!(house.sign_up("bob@example.com").await.status.as_u16(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_a_member_whom_no_fold_has_seen_is_not_free() {
    let house = House::start().await;
    assert_eq!(house.sign_up("ada@example.com").await.status.as_u16(), 201);
    // As after a crash between the commit of the event and its fold, long ago.
    let unfold = "UPDATE credentials SET reserved_at = '2020-01-01'; TRUNCATE customers, members;
                  UPDATE projection_checkpoint SET position = 0";
    sqlx::raw_sql(unfold).execute(house.database.pool()).await.unwrap();
    assert_eq!(house.sign_up("ada@example.com").await.problem(), (409, "/problems/email-taken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_folded_again_from_the_log() {
    let house = House::start().await;
    for email in ["ada@example.com", "bob@example.com"] {
        assert_eq!(house.sign_up(email).await.status.as_u16(), 201);
    }
    let rows = async || -> Vec<(Uuid, String, String)> {
        sqlx::query_as("SELECT customer_id, email, role FROM members ORDER BY email")
            .fetch_all(house.database.pool())
            .await
            .unwrap()
    };
    let before = rows().await;
    let drop = "TRUNCATE customers, members, tokens; UPDATE projection_checkpoint SET position = 0";
    sqlx::raw_sql(drop).execute(house.database.pool()).await.unwrap();
    let _second = house.another().await;
    assert_eq!(rows().await, before);
    assert_eq!(before.len(), 2);
}
