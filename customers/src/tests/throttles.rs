use http::Method;
use serde_json::json;

use super::house::{Answer, House, KEY, PASSWORD};

async fn log_in(house: &House, email: &str, password: &str, address: &str) -> Answer {
    let headers = [("x-forwarded-for", address), ("x-daybook-internal-key", KEY)];
    let body = json!({"email": email, "password": password});
    house.send(Method::POST, "/v1/session", &headers, body).await
}

const WRONG: (u16, &str) = (401, "/problems/wrong-credentials");
const WAIT: (u16, &str) = (429, "/problems/too-many-log-ins");

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_an_account_has_to_wait_whether_it_exists_or_not() {
    let house = House::with(&[("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "3")]).await;
    house.sign_up("ada@example.com").await;
    for email in ["ada@example.com", "nobody@example.com", "no address"] {
        for n in 0..3 {
            // From another address each time: it is the account that counts.
            let answer = log_in(&house, email, "a wrong password", &format!("10.0.0.{n}")).await;
            assert_eq!(answer.problem(), WRONG, "{email}");
        }
        let answer = log_in(&house, email, PASSWORD, "10.0.1.1").await;
        assert_eq!(answer.problem(), WAIT, "{email}");
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
    }
    let over = "UPDATE log_in_attempts SET window_end = now() - interval '1 second'";
    sqlx::query(over).execute(house.database.pool()).await.unwrap();
    assert_eq!(log_in(&house, "ada@example.com", PASSWORD, "10.0.1.1").await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_succeeds_counts_for_nothing() {
    let house = House::with(&[
        ("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "3"),
        ("DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX", "4"),
    ])
    .await;
    house.sign_up("ada@example.com").await;
    for _ in 0..6 {
        assert_eq!(log_in(&house, "ada@example.com", PASSWORD, "10.0.0.1").await.status.as_u16(), 200);
    }
    for n in 0..4 {
        assert_eq!(log_in(&house, &format!("x{n}@example.com"), PASSWORD, "10.0.0.1").await.problem(), WRONG);
    }
    assert_eq!(log_in(&house, "ada@example.com", PASSWORD, "10.0.0.1").await.problem(), WAIT);
    assert_eq!(log_in(&house, "ada@example.com", PASSWORD, "10.0.0.2").await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_of_its_address_is_not_believed() {
    let house = House::with(&[("DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX", "1")]).await;
    house.sign_up("ada@example.com").await;
    for n in 0..5 {
        let claim = [("x-forwarded-for", "10.0.0.1")];
        let body = json!({"email": format!("x{n}@example.com"), "password": PASSWORD});
        let answer = house.send(Method::POST, "/v1/session", &claim, body).await;
        assert_eq!(answer.problem(), WRONG, "nobody can make another address wait");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_signs_up_so_many_customers_and_no_more() {
    let house = House::with(&[("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", "2")]).await;
    let sign_up = async |n: u32, address: &str| {
        let headers = [("x-forwarded-for", address), ("x-daybook-internal-key", KEY)];
        let email = format!("{n}-{}@example.com", address.replace(':', "-"));
        let body = json!({"name": "Ledger & Co", "email": email, "password": PASSWORD});
        house.send(Method::POST, "/v1/customers", &headers, body).await
    };
    for n in 0..2 {
        assert_eq!(sign_up(n, "10.0.0.1").await.status.as_u16(), 201);
    }
    let refused = sign_up(3, "10.0.0.1").await;
    assert_eq!(refused.problem(), (429, "/problems/too-many-sign-ups"));
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(sign_up(0, "10.0.0.2").await.status.as_u16(), 201);
    // Who has signed up logs in.
    let email = "0-10.0.0.1@example.com";
    assert_eq!(log_in(&house, email, PASSWORD, "10.0.0.1").await.status.as_u16(), 200);
    let over = "UPDATE log_in_attempts SET window_end = now() - interval '1 second'";
    sqlx::query(over).execute(house.database.pool()).await.unwrap();
    assert_eq!(sign_up(4, "10.0.0.1").await.status.as_u16(), 201);
}
