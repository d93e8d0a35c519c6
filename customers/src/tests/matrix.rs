//! Every documented operation × every kind of caller, as the rules say; an operation without a rule fails.

use std::collections::BTreeSet;

use domain::customer::Role;
use domain::token::Scope;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::{Answer, House, PASSWORD, Person};
use super::rules::{RULES, Rule, Thing, Who};

/// Everybody who might call.
enum Caller {
    Nobody,
    /// A text that is no token.
    Malformed,
    Revoked(String),
    Token(Scope, String),
    Member(Role, Person),
    /// The owner of another customer.
    Stranger(Person),
}

struct World {
    house: House,
    owner: Person,
    callers: Vec<Caller>,
}

impl World {
    async fn new() -> Self {
        let house = House::start().await;
        let owner = house.person(&house.sign_up("owner@example.com").await, "owner@example.com").await;
        let stranger = house.person(&house.sign_up("eve@example.com").await, "eve@example.com").await;
        let (revoked_id, revoked) = house.issue(&owner.principal, json!(["admin"])).await;
        let path = format!("/v1/tokens/{revoked_id}");
        house.send(Method::DELETE, &path, &owner.principal.headers(), Value::Null).await;
        let mut callers = vec![Caller::Nobody, Caller::Malformed, Caller::Revoked(revoked)];
        for scope in Scope::ALL {
            let (_, secret) = house.issue(&owner.principal, json!([scope])).await;
            callers.push(Caller::Token(scope, secret));
        }
        for role in Role::ALL {
            let email = format!("{}.two@example.com", role.name());
            callers.push(Caller::Member(role, house.join(&owner.principal, &email, role.name()).await));
        }
        callers.push(Caller::Stranger(stranger));
        Self { house, owner, callers }
    }

    /// Something of the customer's that the call may name, and end.
    async fn thing(&self, thing: Thing, caller: &Caller) -> String {
        let owner = &self.owner.principal;
        match thing {
            Thing::Nothing => String::new(),
            Thing::Token => self.house.issue(owner, json!([gives(caller)])).await.0,
            Thing::Member => self.house.join(owner, &fresh_email(), "analyst").await.id,
            Thing::Invitation => {
                let body = json!({"email": fresh_email(), "role": "analyst"});
                let invited = self.house.send(Method::POST, "/v1/members", &owner.headers(), body).await;
                invited.body["id"].as_str().unwrap().to_owned()
            }
            Thing::Session => {
                let whose = if let Caller::Member(_, person) = caller { person } else { &self.owner };
                let cookie = self.house.log_in(&whose.email).await.cookie();
                let sessions =
                    self.house.send(Method::GET, "/v1/sessions", &[("cookie", &cookie)], Value::Null).await;
                let mut items = sessions.body["items"].as_array().unwrap().iter();
                let current = items.find(|item| item["current"] == true).unwrap();
                current["id"].as_str().unwrap().to_owned()
            }
        }
    }

    async fn call(&self, rule: &Rule, caller: &Caller) -> Answer {
        let (method, path) = rule.operation.split_once(' ').unwrap();
        let path = path.replace("{id}", &self.thing(rule.thing, caller).await);
        let method: Method = method.parse().unwrap();
        let headers = self.headers(rule, caller).await;
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.house.send(method, &path, &headers, body(rule.operation, caller)).await
    }

    async fn headers(&self, rule: &Rule, caller: &Caller) -> Vec<(&'static str, String)> {
        let bearer = |secret: &str| vec![("authorization", format!("Bearer {secret}"))];
        match caller {
            Caller::Nobody => Vec::new(),
            Caller::Malformed => bearer("dbk_x"),
            Caller::Revoked(secret) | Caller::Token(_, secret) => bearer(secret),
            Caller::Member(_, person) | Caller::Stranger(person) => match rule.who {
                // Where the cookie itself is asked for, a session of its own, since the call may end it.
                Who::LoggedIn => {
                    let logged_in = self.house.log_in(&person.email).await;
                    let csrf = logged_in.body["csrf_token"].as_str().unwrap().to_owned();
                    vec![("cookie", logged_in.cookie()), ("x-csrf-token", csrf)]
                }
                _ => person.principal.headers().map(|(name, value)| (name, value.to_owned())).to_vec(),
            },
        }
    }
}

fn fresh_email() -> String {
    format!("{}@example.com", Uuid::now_v7().simple())
}

/// A scope that the caller may give, if it may give any.
fn gives(caller: &Caller) -> Scope {
    if let Caller::Token(scope, _) = caller { *scope } else { Scope::Ingest }
}

/// A body with which the operation succeeds.
fn body(operation: &str, caller: &Caller) -> Value {
    match operation {
        "POST /v1/customers" => json!({"name": "New & Co", "email": fresh_email(), "password": PASSWORD}),
        "PATCH /v1/customers/self" => json!({"time_zone": "Europe/Berlin"}),
        "POST /v1/invitations/accept" => json!({"token": "dbi_none", "password": PASSWORD}),
        "POST /v1/members" => json!({"email": fresh_email(), "role": "analyst"}),
        "PATCH /v1/members/{id}" => json!({"role": "auditor"}),
        "POST /v1/session" => json!({"email": "owner@example.com", "password": PASSWORD}),
        "POST /v1/tokens" => json!({"name": "ci", "scopes": [gives(caller)]}),
        "POST /v1/tokens/{id}/rotate" => json!({"overlap_s": 60}),
        _ => Value::Null,
    }
}

/// The status that the rules ask for.
fn expected(rule: &Rule, caller: &Caller) -> u16 {
    let permission = match rule.who {
        Who::Anyone => return rule.success,
        Who::LoggedIn => None,
        Who::May(permission) => Some(permission),
    };
    let is_known = match caller {
        Caller::Nobody | Caller::Malformed | Caller::Revoked(_) => false,
        Caller::Token(..) => permission.is_some(),
        Caller::Member(..) | Caller::Stranger(_) => true,
    };
    let may = match (permission, caller) {
        (Some(permission), Caller::Token(scope, _)) => permission.is_given_by(&vec![*scope].into()),
        (Some(permission), Caller::Member(what_for, _)) => what_for.may(permission),
        _ => true,
    };
    let is_strange = matches!(caller, Caller::Stranger(_)) && rule.thing != Thing::Nothing;
    match (is_known, may, is_strange) {
        (false, ..) => 401,
        (true, false, _) => 403,
        (true, true, true) => 404,
        (true, true, false) => rule.success,
    }
}

fn name(caller: &Caller) -> String {
    match caller {
        Caller::Nobody => "nobody".into(),
        Caller::Malformed => "no token".into(),
        Caller::Revoked(_) => "a revoked token".into(),
        Caller::Token(scope, _) => format!("a token with {scope}"),
        Caller::Member(role, _) => format!("a member as {}", role.name()),
        Caller::Stranger(_) => "the owner of another customer".into(),
    }
}

#[test]
fn every_documented_operation_has_a_rule() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let ruled: BTreeSet<String> = RULES.iter().map(|rule| rule.operation.to_owned()).collect();
    assert_eq!(documented, ruled);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_the_rules_say_and_nothing_else() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for rule in RULES {
        for caller in &world.callers {
            let answer = world.call(rule, caller).await;
            let (got, expected) = (answer.status.as_u16(), expected(rule, caller));
            if got != expected {
                let whose = name(caller);
                wrong.push(format!(
                    "{} by {whose}: {got} instead of {expected}: {}",
                    rule.operation, answer.body
                ));
            }
            // A stranger's success is about the stranger's own things.
            if matches!(caller, Caller::Stranger(_)) {
                let text = answer.body.to_string();
                let ours = [&owner_id(&world), &world.owner.id, &world.owner.email];
                let leaked = rule.who != Who::Anyone && ours.iter().any(|ours| text.contains(ours.as_str()));
                assert!(!leaked, "{} tells a stranger: {text}", rule.operation);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The customer that all but the stranger belong to.
fn owner_id(world: &World) -> String {
    let principal: Value = serde_json::from_str(world.owner.principal.headers()[0].1).unwrap();
    principal["customer_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_stranger_is_a_stranger_everywhere() {
    // Whatever names a thing is asked for somebody else's thing too.
    for rule in RULES {
        assert_eq!(rule.operation.contains("{id}"), rule.thing != Thing::Nothing, "{}", rule.operation);
    }
}
