//! `POST /v1/customers`: signing up.

use insta::assert_json_snapshot;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{PASSWORD, shared};

fn someone() -> Value {
    json!({"name": "Ledger & Co", "email": format!("{}@example.com", Uuid::now_v7()), "password": PASSWORD})
}

#[tokio::test]
async fn signing_up_logs_in() {
    let api = shared().anonymous();
    let mut body = someone();
    body["time_zone"] = "Europe/Berlin".into();
    let answer = api.post("/v1/customers", &body).await;
    let cookie = answer.header("set-cookie");
    for part in ["daybook_session_", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let signed_up = answer.json(201);
    assert_json_snapshot!("signed-up", signed_up, {
        ".id" => "[id]", ".member.id" => "[id]", ".member.email" => "[email]", ".csrf_token" => "[secret]",
    });
    let session = api.get("/v1/session").await.json(200);
    assert_eq!(session["csrf_token"], signed_up["csrf_token"]);
    assert_eq!((&session["customer"]["id"], &session["member"]), (&signed_up["id"], &signed_up["member"]));
}

#[tokio::test]
async fn an_address_signs_up_once_whatever_its_case() {
    let body = someone();
    shared().anonymous().post("/v1/customers", &body).await.json(201);
    let mut again = body.clone();
    again["email"] = body["email"].as_str().unwrap().to_uppercase().into();
    for body in [body, again] {
        shared().anonymous().post("/v1/customers", &body).await.problem(409, "email-taken");
    }
}

#[tokio::test]
async fn every_fault_of_a_sign_up_is_named() {
    let body = json!({"name": " ", "email": "nobody", "password": "short", "time_zone": "Mars/Olympus"});
    let answer = shared().anonymous().post("/v1/customers", &body).await;
    assert_eq!(answer.pointers(), ["/name", "/email", "/password", "/time_zone"]);
    let mut unknown = someone();
    unknown["admin"] = true.into();
    assert_eq!(shared().anonymous().post("/v1/customers", &unknown).await.pointers(), ["/admin"]);
}
