//! Events that no projection can fold: set aside with those behind them, tried again, discarded, and always accounted for.

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use crate::support::{Customer, Stack, eventually};

const PROJECTIONS: [&str; 1] = ["activities"];

/// Writes into the log what no program of today writes, as a later version of this one could.
struct Pen {
    log: PgConnection,
    partition: i32,
}

impl Pen {
    /// For the history of a customer that has one already.
    async fn of(stack: &Stack, customer: &Customer) -> Self {
        let addresses = std::fs::read(stack.data_dir().join("addresses.json")).unwrap();
        let addresses: Value = serde_json::from_slice(&addresses).unwrap();
        let log =
            PgConnection::connect(addresses["databases"]["activities"].as_str().unwrap()).await.unwrap();
        let history = customer.api.get("/v1/history?limit=1").await.json(200);
        Self { log, partition: history["items"][0]["partition"].as_i64().unwrap() as i32 }
    }

    async fn append(&mut self, customer: &Customer, activity: &str, sequence: i64, version: &str) -> i64 {
        let payload = json!({
            "type": "page.viewed", "actor": "ada", "occurred_at": "2026-11-01T10:00:00Z",
            "occurred_at_source": "client",
        });
        let row = sqlx::query(
            "SELECT head FROM append_events(ARRAY[$1], ARRAY[1::bigint], ARRAY[$1], ARRAY[1::bigint], ARRAY[0], ARRAY[$2],
                ARRAY[gen_random_uuid()], ARRAY[$3::uuid], ARRAY['activity'], ARRAY[$4], ARRAY['ActivityRecorded'],
                ARRAY[$5], ARRAY[$6], ARRAY['{}'])",
        )
        .bind(self.partition)
        .bind(sequence)
        .bind(&customer.id)
        .bind(format!("{}:{activity}", customer.id))
        .bind(version)
        .bind(payload.to_string())
        .fetch_one(&mut self.log)
        .await
        .unwrap();
        row.get::<i64, _>("head") + 1
    }
}

/// A status in which nothing waits to be folded; whatever it says, every event is accounted for.
async fn settled(stack: &Stack, events: i64) -> Value {
    eventually("everything is folded or set aside", || async {
        let finished = stack.operate(&["status", "--json"]).await;
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        let status: Value = serde_json::from_str(&finished.out).unwrap();
        let projections = status["projections"].as_array().unwrap();
        for one in projections {
            let part = |key: &str| one[key].as_i64().unwrap();
            let sum = part("folded") + part("dead_lettered") + part("discarded") + part("lag");
            assert_eq!(part("appended"), sum, "{one}");
            assert_eq!(one["accounted_for"], true, "{one}");
        }
        let is_settled = |one: &Value| one["lag"] == 0 && one["appended"] == events;
        projections.iter().all(is_settled).then_some(status)
    })
    .await
}

#[track_caller]
fn accounts(status: &Value, dead_lettered: i64, waiting: i64, discarded: i64) {
    for one in status["projections"].as_array().unwrap() {
        let told = ["dead_lettered", "waiting", "discarded"].map(|key| one[key].as_i64().unwrap());
        assert_eq!(told, [dead_lettered, waiting, discarded], "{one}");
    }
}

async fn total(customer: &Customer) -> i64 {
    customer.api.get("/v1/reports/activity?interval=day").await.json(200)["total"].as_i64().unwrap()
}

async fn letters(customer: &Customer) -> Vec<Value> {
    customer.api.get("/v1/dead-letters").await.json(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn poison_is_set_aside_until_somebody_decides() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "50")]);
    let (customer, stranger) = (stack.customer().await, stack.customer().await);
    customer.api.record(&json!({"id": "before", "type": "page.viewed", "actor": "ada"})).await;
    let mut pen = Pen::of(&stack, &customer).await;
    let poison = pen.append(&customer, "poison", 1, "9.0.0").await;
    pen.append(&customer, "poison", 2, "2.0.0").await;
    customer.api.record(&json!({"id": "after", "type": "page.viewed", "actor": "ada"})).await;
    let status = settled(&stack, 4).await;
    accounts(&status, 2, 1, 0);
    assert_eq!(status["healthy"], false, "{status}");
    assert_eq!(total(&customer).await, 2, "every other stream goes on");

    let items = letters(&customer).await;
    let names: Vec<_> = items.iter().map(|item| item["projection"].as_str().unwrap()).collect();
    assert_eq!(names, PROJECTIONS);
    for item in &items {
        assert_eq!(
            (&item["position"], &item["waiting"], &item["attempts"]),
            (&json!(poison), &json!(1), &json!(1))
        );
        let reason = item["reason"].as_str().unwrap();
        assert_eq!(reason, "unknown event type ActivityRecorded of version 9.0.0");
        assert_eq!(item["payload"]["actor"], "ada");
        assert_eq!(item["aggregate_id"], format!("{}:poison", customer.id));
    }
    let page = customer.api.get("/v1/dead-letters?limit=1").await.json(200);
    assert_eq!((&page["items"], &page["next_cursor"]), (&json!(items), &Value::Null));
    customer.api.get("/v1/dead-letters?limit=0").await.problem(400, "invalid-query");
    assert_eq!(letters(&stranger).await, Vec::<Value>::new());

    let path = |item: &Value, what: &str| format!("/v1/dead-letters/{}/{what}", item["id"].as_str().unwrap());
    let none = json!({});
    let again = customer.api.post(&path(&items[0], "retry"), &none).await;
    let problem = again.problem(409, "dead-letter-failed");
    assert!(problem["detail"].as_str().unwrap().contains("version 9.0.0"), "{problem}");
    assert_eq!(letters(&customer).await[0]["attempts"], 2);

    let reason = json!({"reason": "sent by a test of the next version"});
    for (what, body) in [("retry", &none), ("discard", &reason)] {
        stranger.api.post(&path(&items[0], what), body).await.problem(404, "dead-letter-not-found");
        customer
            .api
            .post(&format!("/v1/dead-letters/activities/{what}"), body)
            .await
            .problem(404, "dead-letter-not-found");
        let reader = customer.with_scopes(&["read", "audit", "ingest"]).await;
        reader.post(&path(&items[0], what), body).await.problem(403, "scope-missing");
        stack.anonymous().post(&path(&items[0], what), body).await.problem(401, "token-missing");
    }
    let empty = customer.api.post(&path(&items[0], "discard"), &json!({"reason": " "})).await;
    assert_eq!(empty.pointers(), ["/reason"]);
    customer.api.post(&path(&items[0], "discard"), &none).await.problem(422, "invalid-content");
    accounts(&settled(&stack, 4).await, 2, 1, 0);

    for item in &items {
        let discarded = customer.api.post(&path(item, "discard"), &reason).await.json(200);
        assert_eq!((&discarded["id"], &discarded["stopped_at"]), (&item["id"], &Value::Null));
        // By this, or by the log if that led there sooner.
        assert!(discarded["folded"].as_i64().unwrap() <= 1, "{discarded}");
    }
    assert_eq!(total(&customer).await, 3, "what waited is folded at once");
    let status = settled(&stack, 5).await;
    accounts(&status, 0, 0, 1);
    assert_eq!(status["healthy"], true, "{status}");
    assert_eq!(letters(&customer).await, Vec::<Value>::new());
    customer.api.post(&path(&items[0], "discard"), &reason).await.problem(404, "dead-letter-not-found");

    let history = customer.api.get("/v1/history").await.json(200);
    let decisions: Vec<&Value> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["aggregate_type"] == "dead_letter")
        .collect();
    assert_eq!(decisions.len(), 1);
    for (event, item) in decisions.iter().zip(&items) {
        assert_eq!(event["event_type"], "DeadLetterDiscarded");
        let payload = &event["payload"];
        assert_eq!((&payload["projection"], &payload["position"]), (&item["projection"], &json!(poison)));
        assert_eq!(payload["reason"], reason["reason"]);
        assert!(event["metadata"]["subject"].as_str().unwrap().starts_with("token:"), "{event}");
    }
    let rebuilt = stack.operate(&["rebuild", "--verify"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.out, rebuilt.err);
    accounts(&settled(&stack, 5).await, 0, 0, 1);
    assert_eq!(total(&customer).await, 3);
}

#[tokio::test]
async fn an_operator_lists_retries_and_discards_dead_letters_of_everybody() {
    let mut stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "50")]);
    let customers = [stack.customer().await, stack.customer().await];
    for customer in &customers {
        customer.api.record(&json!({"id": "before", "type": "page.viewed", "actor": "ada"})).await;
        let mut pen = Pen::of(&stack, customer).await;
        pen.append(customer, "poison", 1, "9.0.0").await;
        pen.append(customer, "poison", 2, "2.0.0").await;
        customer.api.record(&json!({"id": "after", "type": "page.viewed", "actor": "ada"})).await;
    }
    accounts(&settled(&stack, 8).await, 4, 2, 0);
    let list = async |stack: &Stack, more: &[&str]| {
        let listed = stack.operate(&[&["dead-letters", "list", "--json"], more].concat()).await;
        assert_eq!(listed.code, Some(0), "{}", listed.err);
        let items: Value = serde_json::from_str(&listed.out).unwrap();
        let ids =
            items["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<String>>()
    };
    let all = list(&stack, &[]).await;
    assert_eq!(all.len(), 2);
    assert_eq!(list(&stack, &["--customer", &customers[0].id]).await.len(), 1);
    assert_eq!(list(&stack, &["--after", &all[0]]).await, all[1..]);
    let table = stack.operate(&["dead-letters", "list"]).await.out;
    assert!(all.iter().all(|id| table.contains(id.as_str())) && table.contains("version 9.0.0"), "{table}");

    let retried = stack.operate(&["dead-letters", "retry", &all[0]]).await;
    assert_eq!(retried.code, Some(1));
    assert!(retried.err.contains("still cannot be folded: unknown event type"), "{}", retried.err);
    for wrong in [&["discard", &all[0]][..], &["discard", &all[0], "--reason", " "], &["retry", "7"], &[]] {
        let wrong = stack.operate(&[&["dead-letters"], wrong].concat()).await;
        assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    }
    let unknown = stack.operate(&["dead-letters", "discard", "activities-0-999", "--reason", "none"]).await;
    assert_eq!(unknown.code, Some(1), "{}", unknown.err);

    // Beside a running system, and on a stopped one.
    let (running, stopped) = all.split_at(1);
    for id in running {
        let told = stack.operate(&["dead-letters", "discard", id, "--reason", "a test", "--json"]).await;
        assert_eq!(told.code, Some(0), "{}", told.err);
        let told: Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!((&told["id"], &told["stopped_at"]), (&json!(id), &Value::Null));
    }
    accounts_of_all(&settled(&stack, 9).await, 2, 1);
    stack.interrupt().await;
    for id in stopped {
        let told = stack.operate(&["dead-letters", "discard", id, "--reason", "a test"]).await;
        assert_eq!(told.code, Some(0), "{}", told.err);
    }
    let stack = stack.start_again();
    accounts(&settled(&stack, 10).await, 0, 0, 2);
    assert_eq!(list(&stack, &[]).await, Vec::<String>::new());
    let history = customers[0].api.with_base(&stack.url).get("/v1/history").await.json(200);
    let subjects: Vec<&Value> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["aggregate_type"] == "dead_letter")
        .map(|event| &event["metadata"]["subject"])
        .collect();
    assert_eq!(subjects, [&json!("operator")]);
}

/// Over all projections.
#[track_caller]
fn accounts_of_all(status: &Value, dead_lettered: i64, discarded: i64) {
    let sum = |key: &str| -> i64 {
        status["projections"].as_array().unwrap().iter().map(|one| one[key].as_i64().unwrap()).sum()
    };
    assert_eq!((sum("dead_lettered"), sum("discarded")), (dead_lettered, discarded), "{status}");
}

#[tokio::test]
async fn projections_tell_how_far_they_have_come() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "50")]);
    let customer = stack.customer().await;
    customer.api.record(&json!({"id": "1", "type": "page.viewed", "actor": "ada"})).await;
    let told = eventually("everything is folded", || async {
        let told = customer.api.get("/v1/projections").await.json(200);
        let is_folded = |one: &Value| one["position"] == 1 && one["lag_events"] == 0;
        (told["items"].as_array().unwrap().iter().all(is_folded) && told["job"].is_null()).then_some(told)
    })
    .await;
    let names: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, PROJECTIONS);
    assert_eq!(told["items"][0]["dead_letters"], 0, "{told}");
    customer.with_scopes(&["read"]).await.get("/v1/projections").await.problem(403, "scope-missing");
}
