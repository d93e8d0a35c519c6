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
