use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{Answer, House, Owner, PASSWORD};

async fn invite(house: &House, owner: &Owner, email: &str, role: &str) -> Answer {
    let body = json!({"email": email, "role": role});
    house.send(Method::POST, "/v1/members", &owner.headers(), body).await
}

/// What stands behind the `#` of a link.
fn link(invited: &Answer) -> String {
    let url = invited.body["invite_url"].as_str().unwrap();
    url.strip_prefix("/join#token=").unwrap().to_owned()
}

async fn accept(house: &House, token: &str) -> Answer {
    let body = json!({"token": token, "password": PASSWORD});
    house.send(Method::POST, "/v1/invitations/accept", &[], body).await
}

async fn ada(house: &House) -> (Answer, Owner) {
    let signed_up = house.sign_up("ada@example.com").await;
    let owner = Owner::of(house, &signed_up).await;
    (signed_up, owner)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_joins_by_a_link_that_works_once() {
    let house = House::start().await;
    let (signed_up, owner) = ada(&house).await;
    let invited = invite(&house, &owner, " Bob@Example.com", "analyst").await;
    assert_eq!(invited.status, StatusCode::CREATED, "{}", invited.body);
    assert_eq!(invited.body["email"], "bob@example.com");
    let stored: Vec<(String,)> =
        sqlx::query_as("SELECT i::text FROM invitations i").fetch_all(house.database.pool()).await.unwrap();
    assert!(!stored[0].0.contains(&link(&invited)[4..]), "the link is not kept");

    let joined = accept(&house, &link(&invited)).await;
    assert_eq!(joined.status, StatusCode::CREATED, "{}", joined.body);
    assert_eq!(joined.body["customer"]["id"], signed_up.body["id"]);
    assert_eq!(
        (&joined.body["member"]["role"], &joined.body["scopes"]),
        (&json!("analyst"), &json!(["read"]))
    );
    let cookie = joined.cookie();
    let me = house.send(Method::GET, "/v1/session", &[("cookie", &cookie)], Value::Null).await;
    assert_eq!(me.body["member"]["email"], "bob@example.com");

    assert_eq!(accept(&house, &link(&invited)).await.problem(), (404, "/problems/invitation-not-found"));
    let log_in = json!({"email": "bob@example.com", "password": PASSWORD});
    assert_eq!(house.send(Method::POST, "/v1/session", &[], log_in).await.status, StatusCode::OK);

    let people = house.send(Method::GET, "/v1/members", &owner.headers(), Value::Null).await.body;
    let emails: Vec<_> = people["items"].as_array().unwrap().iter().map(|item| &item["email"]).collect();
    assert_eq!(emails, ["ada@example.com", "bob@example.com"]);
    let again = invite(&house, &owner, "bob@example.com", "owner").await;
    assert_eq!(again.problem(), (409, "/problems/already-member"));

    // Who came, and by whose invitation, is in the log.
    let (metadata,): (Value,) =
        sqlx::query_as("SELECT metadata::jsonb FROM events WHERE event_type = 'MemberAdded'")
            .fetch_one(house.database.pool())
            .await
            .unwrap();
    let id = |answer: &Answer| format!("member:{}", answer.body["member"]["id"].as_str().unwrap());
    assert_eq!(
        (&metadata["subject"], &metadata["invited_by"]),
        (&json!(id(&joined)), &json!(id(&signed_up)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_good_any_more_says_nothing_else() {
    let house = House::start().await;
    let (_, owner) = ada(&house).await;
    let first = invite(&house, &owner, "bob@example.com", "analyst").await;
    let second = invite(&house, &owner, "bob@example.com", "auditor").await;
    let gone = (404, "/problems/invitation-not-found");
    assert_eq!(accept(&house, &link(&first)).await.problem(), gone, "a second invitation takes its place");
    assert_eq!(accept(&house, "dbi_nothing").await.problem(), gone);

    let list = async || house.send(Method::GET, "/v1/invitations", &owner.headers(), Value::Null).await.body;
    let waiting = list().await;
    assert_eq!(
        (waiting["items"].as_array().unwrap().len(), &waiting["items"][0]["role"]),
        (1, &json!("auditor"))
    );
    assert!(!waiting.to_string().contains("dbi_"));
    let path = format!("/v1/invitations/{}", second.body["id"].as_str().unwrap());
    let withdrawn = house.send(Method::DELETE, &path, &owner.headers(), Value::Null).await;
    assert_eq!(withdrawn.status, StatusCode::NO_CONTENT);
    assert_eq!(accept(&house, &link(&second)).await.problem(), gone);
    let again = house.send(Method::DELETE, &path, &owner.headers(), Value::Null).await;
    assert_eq!(again.problem(), gone);

    let third = invite(&house, &owner, "bob@example.com", "analyst").await;
    let week = "UPDATE invitations SET expires_at = now()";
    sqlx::query(week).execute(house.database.pool()).await.unwrap();
    assert_eq!(accept(&house, &link(&third)).await.problem(), gone);
    assert_eq!(list().await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_worth_as_much_as_whoever_made_it() {
    let house = House::start().await;
    let (_, owner) = ada(&house).await;
    let bob = house.join(&owner, "bob@example.com", "owner").await;
    let by_bob = invite(&house, &bob.principal, "eve@example.com", "owner").await;
    assert_eq!(by_bob.status, StatusCode::CREATED);
    let change = json!({"role": "analyst"});
    let path = format!("/v1/members/{}", bob.id);
    let changed = house.send(Method::PATCH, &path, &owner.headers(), change).await;
    assert_eq!((changed.status, &changed.body["role"]), (StatusCode::OK, &json!("analyst")));
    assert_eq!(accept(&house, &link(&by_bob)).await.problem(), (404, "/problems/invitation-not-found"));
    // What the gateway still believes of Bob does not help him either.
    let refused = invite(&house, &bob.principal, "eve@example.com", "owner").await;
    assert_eq!(refused.problem(), (403, "/problems/role-insufficient"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_out_at_once() {
    let house = House::start().await;
    let (signed_up, owner) = ada(&house).await;
    let bob = house.join(&owner, "bob@example.com", "engineer").await;
    let path = format!("/v1/members/{}", bob.id);
    let removed = house.send(Method::DELETE, &path, &owner.headers(), Value::Null).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let me = house.send(Method::GET, "/v1/session", &[("cookie", &bob.cookie)], Value::Null).await;
    assert_eq!(me.problem(), (401, "/problems/session-missing"));
    let question = json!({"cookie": bob.cookie.split_once('=').unwrap().1});
    assert_eq!(house.ask("/internal/sessions/resolve", question).await, json!({"refused": true}));
    let tokens = house.send(Method::GET, "/v1/tokens", &bob.principal.headers(), Value::Null).await;
    assert_eq!(
        tokens.problem(),
        (401, "/problems/session-missing"),
        "what the gateway believes is not enough"
    );
    let log_in = json!({"email": "bob@example.com", "password": PASSWORD});
    let refused = house.send(Method::POST, "/v1/session", &[], log_in).await;
    assert_eq!(refused.problem(), (401, "/problems/wrong-credentials"));
    let again = house.send(Method::DELETE, &path, &owner.headers(), Value::Null).await;
    assert_eq!(again.problem(), (404, "/problems/member-not-found"));

    let last = format!("/v1/members/{}", signed_up.body["member"]["id"].as_str().unwrap());
    let refused = house.send(Method::DELETE, &last, &owner.headers(), Value::Null).await;
    assert_eq!(refused.problem(), (409, "/problems/last-owner"));
    let refused = house.send(Method::PATCH, &last, &owner.headers(), json!({"role": "auditor"})).await;
    assert_eq!(refused.problem(), (409, "/problems/last-owner"));

    // The address is free again, for a member who is somebody else to the log.
    let back = house.join(&owner, "bob@example.com", "analyst").await;
    assert_ne!(back.id, bob.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account() {
    let house = House::start().await;
    let (_, owner) = ada(&house).await;
    assert_eq!(house.sign_up("bob@example.com").await.status, StatusCode::CREATED);
    let invited = invite(&house, &owner, "bob@example.com", "analyst").await;
    assert_eq!(invited.problem(), (409, "/problems/address-in-use"));

    // Or gets one while the invitation waits: both sides are told.
    let invited = invite(&house, &owner, "eve@example.com", "analyst").await;
    let list = async || house.send(Method::GET, "/v1/invitations", &owner.headers(), Value::Null).await.body;
    assert_eq!(list().await["items"][0]["address_in_use"], false);
    assert_eq!(house.sign_up("eve@example.com").await.status, StatusCode::CREATED);
    assert_eq!(accept(&house, &link(&invited)).await.problem(), (409, "/problems/address-in-use"));
    assert_eq!(list().await["items"][0]["address_in_use"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_customer() {
    let house = House::start().await;
    let (signed_up, owner) = ada(&house).await;
    let cookie = signed_up.cookie();
    let headers = [owner.headers().as_slice(), &[("cookie", cookie.as_str())]].concat();
    let (token, _) = house.issue(&owner, json!(["read"])).await;
    let (history, rotate) = (format!("/v1/tokens/{token}/history"), format!("/v1/tokens/{token}/rotate"));
    let member = format!("/v1/members/{}", house.join(&owner, "bob@example.com", "analyst").await.id);
    for (method, path, body) in [
        (Method::GET, "/v1/members", Value::Null),
        (Method::POST, "/v1/members", json!({"email": "eve@example.com", "role": "analyst"})),
        (Method::PATCH, member.as_str(), json!({"role": "auditor"})),
        (Method::GET, "/v1/invitations", Value::Null),
        (Method::GET, "/v1/tokens", Value::Null),
        (Method::POST, "/v1/tokens", json!({"name": "ci", "scopes": ["read"]})),
        (Method::POST, rotate.as_str(), json!({})),
        (Method::GET, history.as_str(), Value::Null),
        (Method::GET, "/v1/sessions", Value::Null),
    ] {
        let answer = house.send(method, path, &headers, body).await;
        assert_eq!(answer.body["customer_id"], signed_up.body["id"], "{path}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engineer_makes_no_token_that_could_do_what_an_engineer_may_not() {
    let house = House::start().await;
    let (_, owner) = ada(&house).await;
    let bob = house.join(&owner, "bob@example.com", "engineer").await;
    let issue = async |scopes: Value| {
        let body = json!({"name": "ci", "scopes": scopes});
        house.send(Method::POST, "/v1/tokens", &bob.principal.headers(), body).await
    };
    assert_eq!(issue(json!(["ingest", "read", "audit"])).await.status, StatusCode::CREATED);
    assert_eq!(issue(json!(["admin"])).await.problem(), (403, "/problems/role-insufficient"));
    let (id, _) = house.issue(&owner, json!(["admin"])).await;
    let path = format!("/v1/tokens/{id}/rotate");
    let rotated = house.send(Method::POST, &path, &bob.principal.headers(), json!({})).await;
    assert_eq!(rotated.problem(), (403, "/problems/role-insufficient"), "nor learns the secret of one");
}

async fn validate(house: &House, secret: &str) -> Value {
    let hash = domain::token::TokenSecret::parse(secret).unwrap().hash();
    house.ask("/internal/tokens/validate", json!({"sha256": hash})).await
}

fn revoked() -> Value {
    json!({"refused": "revoked"})
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_keeps_by_a_token_what_a_change_of_role_took_away() {
    let house = House::start().await;
    let (_, owner) = ada(&house).await;
    let bob = house.join(&owner, "bob@example.com", "owner").await;
    let (_, adas) = house.issue(&owner, json!(["admin"])).await;
    let (admin_id, admin) = house.issue(&bob.principal, json!(["admin", "read"])).await;
    let (_, ingest) = house.issue(&bob.principal, json!(["ingest"])).await;
    // A token that a token made, and one that took another's place, are worth no more than the first.
    let bearer = format!("Bearer {admin}");
    let bearer = [("authorization", bearer.as_str())];
    let body = json!({"name": "hidden", "scopes": ["admin"]});
    let made = house.send(Method::POST, "/v1/tokens", &bearer, body).await.body;
    let path = format!("/v1/tokens/{}/rotate", made["id"].as_str().unwrap());
    let rotated = house.send(Method::POST, &path, &bearer, json!({})).await.body;

    let change = async |role: &str| {
        let path = format!("/v1/members/{}", bob.id);
        let answer = house.send(Method::PATCH, &path, &owner.headers(), json!({"role": role})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    };
    change("engineer").await;
    for secret in [&admin, made["token"].as_str().unwrap(), rotated["token"].as_str().unwrap()] {
        assert_eq!(validate(&house, secret).await, revoked());
    }
    assert!(validate(&house, &ingest).await["valid"].is_object(), "an engineer may issue that");
    assert!(validate(&house, &adas).await["valid"].is_object(), "somebody else's");
    let trace = format!("/v1/tokens/{admin_id}/history");
    let trace = house.send(Method::GET, &trace, &owner.headers(), Value::Null).await.body;
    assert_eq!(
        (&trace["events"][1]["event"], &trace["events"][1]["by"]["name"]),
        (&json!("revoked"), &json!("ada@example.com"))
    );
    change("analyst").await;
    assert_eq!(validate(&house, &ingest).await, revoked());
    // What was revoked stays revoked.
    change("owner").await;
    assert_eq!(validate(&house, &ingest).await, revoked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_maker_is_gone_is_refused_before_it_is_revoked() {
    let house = House::start().await;
    let (_, owner) = ada(&house).await;
    let bob = house.join(&owner, "bob@example.com", "engineer").await;
    let (_, ingest) = house.issue(&bob.principal, json!(["ingest"])).await;
    // As if the service had died between the two events.
    let gone = "DELETE FROM members WHERE email = 'bob@example.com'";
    sqlx::query(gone).execute(house.database.pool()).await.unwrap();
    assert_eq!(validate(&house, &ingest).await, revoked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_moves_to_another_time_zone() {
    let house = House::start().await;
    let (signed_up, owner) = ada(&house).await;
    let (_, secret) = house.issue(&owner, json!(["admin"])).await;
    let bearer = format!("Bearer {secret}");
    let bearer = [("authorization", bearer.as_str())];
    let path = "/v1/customers/self";
    let before = house.send(Method::GET, path, &bearer, Value::Null).await;
    assert_eq!(
        (&before.body["id"], &before.body["time_zone"]),
        (&signed_up.body["id"], &json!("Europe/Berlin"))
    );
    let moved = house.send(Method::PATCH, path, &owner.headers(), json!({"time_zone": "Asia/Kolkata"})).await;
    assert_eq!((moved.status, &moved.body["time_zone"]), (StatusCode::OK, &json!("Asia/Kolkata")));
    let hash = domain::token::TokenSecret::parse(&secret).unwrap().hash();
    let verdict = house.ask("/internal/tokens/validate", json!({"sha256": hash})).await;
    assert_eq!(verdict["valid"]["principal"]["time_zone"], "Asia/Kolkata");
    let wrong = house.send(Method::PATCH, path, &owner.headers(), json!({"time_zone": "Mars"})).await;
    assert_eq!((wrong.problem().0, wrong.pointers()), (422, vec!["/time_zone"]));
}
