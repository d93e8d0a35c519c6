use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn a_member_logs_in_and_out() {
    let house = House::start().await;
    let signed_up = house.sign_up("ada@example.com").await;
    let log_in = async |email: &str, password: &str| {
        house.send(Method::POST, "/v1/session", &[], json!({"email": email, "password": password})).await
    };
    for (email, password) in [("ada@example.com", "wrong"), ("bob@example.com", PASSWORD), ("\0", PASSWORD)] {
        assert_eq!(log_in(email, password).await.problem(), (401, "/problems/wrong-credentials"));
    }
    let logged_in = log_in("ADA@example.com", PASSWORD).await;
    assert_eq!(logged_in.status, StatusCode::OK);
    assert_eq!(logged_in.body["customer"]["id"], signed_up.body["id"]);
    assert_ne!(logged_in.cookie(), signed_up.cookie());

    let cookie = logged_in.cookie();
    let mine = [("cookie", cookie.as_str())];
    let current = house.send(Method::GET, "/v1/session", &mine, Value::Null).await;
    assert_eq!(current.body, logged_in.body);

    let csrf = logged_in.body["csrf_token"].as_str().unwrap();
    let foreign = signed_up.body["csrf_token"].as_str().unwrap();
    for wrong in [None, Some(""), Some(foreign)] {
        let headers: Vec<_> = mine.into_iter().chain(wrong.map(|wrong| ("x-csrf-token", wrong))).collect();
        let refused = house.send(Method::DELETE, "/v1/session", &headers, Value::Null).await;
        assert_eq!(refused.problem(), (403, "/problems/csrf-token-missing"));
    }
    let out = [mine[0], ("x-csrf-token", csrf)];
    let logged_out = house.send(Method::DELETE, "/v1/session", &out, Value::Null).await;
    assert_eq!(logged_out.status, StatusCode::NO_CONTENT);
    assert!(logged_out.headers["set-cookie"].to_str().unwrap().starts_with("daybook_session=; "));
    for method in [Method::GET, Method::DELETE] {
        let over = house.send(method, "/v1/session", &out, Value::Null).await;
        assert_eq!(over.problem(), (401, "/problems/session-missing"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_learns_who_is_behind_a_cookie() {
    let house = House::start().await;
    let signed_up = house.sign_up("ada@example.com").await;
    let cookie = signed_up.cookie();
    let cookie = cookie.split_once('=').unwrap().1;
    let resolve = async |question: Value| house.ask("/internal/sessions/resolve", question).await;

    let known = resolve(json!({"cookie": cookie, "csrf": signed_up.body["csrf_token"]})).await;
    assert_eq!(known["csrf_ok"], true);
    assert_eq!(known["principal"]["customer_id"], signed_up.body["id"]);
    assert_eq!(known["principal"]["subject"], json!({"member": signed_up.body["member"]["id"]}));
    assert_eq!(known["principal"]["time_zone"], "Europe/Berlin");
    assert_eq!(resolve(json!({"cookie": cookie, "csrf": null})).await["csrf_ok"], false);
    assert_eq!(resolve(json!({"cookie": "nobody"})).await, json!({"refused": true}));

    let question = json!({"cookie": cookie});
    let outsider = house.send(Method::POST, "/internal/sessions/resolve", &[], question).await;
    assert_eq!(outsider.problem(), (404, "/problems/not-found"));

    sqlx::query("UPDATE sessions SET expires_at = now()").execute(house.database.pool()).await.unwrap();
    assert_eq!(resolve(json!({"cookie": cookie})).await, json!({"refused": true}));
}

async fn sessions(house: &House, cookie: &str) -> Value {
    house.send(Method::GET, "/v1/sessions", &[("cookie", cookie)], Value::Null).await.body["items"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_and_ends_where_they_are_logged_in() {
    let house = House::start().await;
    house.sign_up("ada@example.com").await;
    let (first, second) = (house.log_in("ada@example.com").await, house.log_in("ada@example.com").await);
    let listed = sessions(&house, &second.cookie()).await;
    let current: Vec<_> = listed.as_array().unwrap().iter().map(|item| item["current"] == true).collect();
    assert_eq!(current, [true, false, false]);
    assert!(!listed.to_string().contains(second.cookie().split_once('=').unwrap().1));

    let path = format!("/v1/sessions/{}", sessions(&house, &first.cookie()).await[1]["id"].as_str().unwrap());
    let (cookie, csrf) = (second.cookie(), second.body["csrf_token"].as_str().unwrap());
    let bare = house.send(Method::DELETE, &path, &[("cookie", &cookie)], Value::Null).await;
    assert_eq!(bare.problem(), (403, "/problems/csrf-token-missing"));
    let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf)];
    let ended = house.send(Method::DELETE, &path, &headers, Value::Null).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    let me = house.send(Method::GET, "/v1/session", &[("cookie", &first.cookie())], Value::Null).await;
    assert_eq!(me.problem(), (401, "/problems/session-missing"));
    let again = house.send(Method::DELETE, &path, &headers, Value::Null).await;
    assert_eq!(again.problem(), (404, "/problems/session-not-found"));
    assert_eq!(sessions(&house, &cookie).await.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_leaves_the_session_of_before() {
    let house = House::start().await;
    house.sign_up("ada@example.com").await;
    let before = house.log_in("ada@example.com").await.cookie();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let after = house.send(Method::POST, "/v1/session", &[("cookie", &before)], body).await;
    assert_ne!(after.cookie(), before);
    let old = house.send(Method::GET, "/v1/session", &[("cookie", &before)], Value::Null).await;
    assert_eq!(old.problem(), (401, "/problems/session-missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_while_it_is_used_but_not_for_ever() {
    let house = House::with(&[
        ("DAYBOOK_CUSTOMERS_SESSION_TTL_S", "600"),
        ("DAYBOOK_CUSTOMERS_SESSION_ABSOLUTE_TTL_S", "3600"),
    ])
    .await;
    let cookie = house.sign_up("ada@example.com").await.cookie();
    let me =
        async || house.send(Method::GET, "/v1/session", &[("cookie", &cookie)], Value::Null).await.status;
    let age = async |seconds: i32| {
        let sql = "UPDATE sessions SET created_at = created_at - $1 * interval '1 second',
                          last_used_at = last_used_at - $1 * interval '1 second',
                          expires_at = expires_at - $1 * interval '1 second'";
        sqlx::query(sql).bind(seconds).execute(house.database.pool()).await.unwrap();
    };
    for _ in 0..6 {
        age(500).await;
        assert_eq!(me().await, StatusCode::OK, "it is used again and again");
    }
    age(500).await;
    assert_eq!(me().await, StatusCode::OK);
    age(101).await;
    assert_eq!(me().await, StatusCode::UNAUTHORIZED, "an hour has passed");
    assert_eq!(house.log_in("ada@example.com").await.status, StatusCode::OK);
}
