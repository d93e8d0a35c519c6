//! Every operation of the OpenAPI document × every kind of caller, on the running system, as the rules say. An operation
//! without a rule fails.

mod callers;
mod rules;

use std::collections::BTreeSet;

use domain::customer::Permission;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Customer, PASSWORD, Person, invite, send, shared};
use callers::{Caller, Kind, fresh_email, log_in};
use rules::{RULES, Rule, Thing, Who};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The customer whose things are asked for, and everybody who might ask.
struct World {
    customer: Customer,
    callers: Vec<Caller>,
}

impl World {
    async fn new() -> Self {
        let customer = shared().customer().await;
        let callers = Caller::all(&customer).await;
        Self { customer, callers }
    }

    /// Something of the customer's that the call may name, and end.
    async fn thing(&self, thing: Thing, caller: &Caller) -> String {
        let (api, text) = (&self.customer.api, |value: &Value| value.as_str().unwrap().to_owned());
        match thing {
            Thing::Nothing => String::new(),
            Thing::Activity => text(&api.record(&activity()).await["id"]),
            Thing::Stream => {
                api.record(&activity()).await;
                text(&api.get("/v1/history?limit=1").await.json(200)["items"][0]["aggregate_id"])
            }
            Thing::Token => {
                let body = json!({"name": "ci", "scopes": [caller.gives()]});
                text(&api.post("/v1/tokens", &body).await.json(201)["id"])
            }
            Thing::Member => Person::joined(shared(), &self.customer, "analyst").await.id,
            Thing::Invitation => text(&invite(&self.customer, "analyst").await["id"]),
            Thing::NoDeadLetter => "activities-0-1000000".to_owned(),
            Thing::NoActor => "nobody".to_owned(),
            Thing::Key => "any".to_owned(),
            Thing::NewActor => "somebody".to_owned(),
            Thing::NoAlias => "nobody/aliases/unknown".to_owned(),
            Thing::NoProjection => "weather".to_owned(),
            Thing::Session => {
                // A member's own; everybody else asks for the owner's.
                let own = matches!(caller.kind, Kind::Member(_));
                let email = if own { caller.email.as_str() } else { self.customer.email.as_str() };
                let (cookie, _) = log_in(email).await;
                let ask = shared().anonymous().request(Method::GET, "/v1/sessions").header("cookie", cookie);
                let sessions = send(ask).await.json(200);
                let mut items = sessions["items"].as_array().unwrap().iter();
                text(&items.find(|item| item["current"] == true).unwrap()["id"])
            }
        }
    }

    async fn call(&self, rule: &Rule, caller: &Caller) -> Answer {
        let (method, path) = rule.operation.split_once(' ').unwrap();
        let path = match path.split_once('{') {
            None => path.to_owned(),
            Some((start, rest)) => {
                // What is named by two parameters is named with all that lies between them.
                let end = rest.rsplit_once('}').unwrap().1;
                // An activity's stream has a colon and the client's own id in its name.
                format!("{start}{}{end}", self.thing(rule.thing, caller).await)
            }
        };
        let path = format!("{path}{}", query(rule.operation));
        let mut request = shared().anonymous().request(method.parse().unwrap(), &path);
        for (name, value) in caller.headers().await {
            request = request.header(name, value);
        }
        if rule.operation == "POST /v1/activities/stream" {
            let lines = request.header("content-type", "application/x-ndjson").body(activity().to_string());
            return send(lines).await;
        }
        if rule.operation == "POST /v1/cloudevents" {
            let attributes = [("specversion", "1.0"), ("id", "1"), ("source", "/shop"), ("type", "viewed")];
            for (name, value) in attributes {
                request = request.header(format!("ce-{name}"), value);
            }
        }
        match body(rule.operation, caller, &self.customer) {
            Value::Null => send(request).await,
            body => send(request.json(&body)).await,
        }
    }
}

fn activity() -> Value {
    json!({"type": "page.viewed", "actor": "ada"})
}

/// Parameters without which the operation does not succeed.
fn query(operation: &str) -> &'static str {
    match operation {
        "GET /v1/reports/funnel" => "?step=page.viewed&step=order.paid",
        "GET /v1/reports/paths" => "?start=page.viewed",
        "GET /v1/reports/top" => "?dimension=type",
        _ => "",
    }
}

/// A body with which the operation succeeds.
fn body(operation: &str, caller: &Caller, customer: &Customer) -> Value {
    match operation {
        "POST /v1/activities" => activity(),
        "POST /v1/batch" => json!({"batch": [{"type": "track", "event": "Viewed", "userId": "ada"}]}),
        "POST /v1/track" => json!({"event": "Viewed", "userId": "ada"}),
        "POST /v1/identify" | "POST /v1/page" | "POST /v1/screen" => json!({"userId": "ada"}),
        "POST /v1/group" => json!({"userId": "ada", "groupId": "acme"}),
        "POST /v1/alias" => json!({"userId": "ada", "previousId": "visitor"}),
        "POST /v1/logs" => json!({"resourceLogs": []}),
        "POST /batch/" | "POST /capture/" | "POST /e/" | "POST /i/v1/analytics/events" => {
            json!({"batch": [{"event": "Viewed", "distinct_id": "ada"}]})
        }
        "POST /v1/cloudevents" => json!({"data": 1}),
        "POST /flags/" => json!({"distinct_id": "ada"}),
        "POST /v1/activities/batch" => json!({"activities": [activity()]}),
        "PATCH /v1/activities/{id}" => json!({"value": 1}),
        "PUT /v1/actors/{actor}" => json!({"traits": {"plan": "pro"}}),
        "POST /v1/actors/{actor}/aliases" => json!({"alias": "nobody else"}),
        "POST /v1/customers" => json!({"name": "New & Co", "email": fresh_email(), "password": PASSWORD}),
        "PATCH /v1/customers/self" => json!({"time_zone": "UTC"}),
        "POST /v1/dead-letters/{id}/discard" => json!({"reason": "it never happened"}),
        "POST /v1/invitations/accept" => json!({"token": "dbi_none", "password": PASSWORD}),
        "POST /v1/members" => json!({"email": fresh_email(), "role": "analyst"}),
        "PATCH /v1/members/{id}" => json!({"role": "auditor"}),
        "POST /v1/password" => {
            json!({"old_password": "not the one", "new_password": "staple of another stable"})
        }
        "POST /v1/password/forgotten" => json!({"email": fresh_email()}),
        "POST /v1/password/reset" => json!({"token": "dbp_none", "password": PASSWORD}),
        "POST /v1/session" => json!({"email": customer.email, "password": PASSWORD}),
        "POST /v1/tokens" => json!({"name": "ci", "scopes": [caller.gives()]}),
        "POST /v1/tokens/{id}/rotate" => json!({"overlap_s": 60}),
        _ => Value::Null,
    }
}

/// The status that the rules ask for.
fn expected(rule: &Rule, caller: &Caller) -> u16 {
    let permission = match rule.who {
        Who::Anyone => return rule.success,
        Who::LoggedIn => None,
        Who::May(permission) | Who::Token(permission) => Some(permission),
    };
    let is_known = match caller.kind {
        Kind::Nobody | Kind::Malformed | Kind::Revoked => false,
        Kind::Token(_) | Kind::StrangersToken => permission.is_some(),
        Kind::Member(_) | Kind::Stranger => !matches!(rule.who, Who::Token(_)),
    };
    let may = |permission: Permission| match caller.kind {
        Kind::Token(scope) => permission.is_given_by(&vec![scope].into()),
        Kind::Member(what_for) => what_for.may(permission),
        _ => true,
    };
    let is_strange = matches!(caller.kind, Kind::Stranger | Kind::StrangersToken)
        && !matches!(rule.thing, Thing::Nothing | Thing::NoActor | Thing::NewActor | Thing::NoAlias);
    match (is_known, permission.is_none_or(may), is_strange) {
        (false, ..) => 401,
        (true, false, _) => 403,
        (true, true, true) => 404,
        (true, true, false) => rule.success,
    }
}

#[tokio::test]
async fn every_documented_operation_has_a_rule() {
    let document = shared().anonymous().get("/openapi.json").await.json(200);
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item[**method].is_object()) {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let ruled: BTreeSet<String> = RULES.iter().map(|rule| rule.operation.to_owned()).collect();
    assert_eq!(documented, ruled, "tests/stack/matrix/rules.rs has a line for each operation");
    // Whatever names a thing is asked for somebody else's thing too.
    for rule in RULES {
        assert_eq!(rule.operation.contains('{'), rule.thing != Thing::Nothing, "{}", rule.operation);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_the_rules_say_and_nothing_else() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for rule in RULES {
        for caller in &world.callers {
            let answer = world.call(rule, caller).await;
            let (got, expected) = (answer.status, expected(rule, caller));
            if got != expected {
                let (operation, who) = (rule.operation, caller.name());
                wrong.push(format!("{operation} by {who}: {got} instead of {expected}: {}", answer.text));
            }
            // A stranger's success is about the stranger's own things.
            let is_strange = matches!(caller.kind, Kind::Stranger | Kind::StrangersToken);
            if is_strange && rule.who != Who::Anyone {
                let leaked = [&world.customer.id, &world.customer.email]
                    .iter()
                    .any(|ours| answer.text.contains(*ours));
                assert!(!leaked, "{} tells a stranger: {}", rule.operation, answer.text);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
