//! Events that no projection can fold: set aside with those behind them, tried again, discarded, and always accounted for.

mod decisions;
mod operator;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use crate::support::{Customer, Stack, eventually};

pub(crate) const PROJECTIONS: [&str; 1] = ["activities"];

/// Writes into the log what no program of today writes, as a later version of this one could.
struct LogWriter {
    log: PgConnection,
    partition: i32,
}

impl LogWriter {
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
        let counts = ["dead_lettered", "waiting", "discarded"].map(|key| one[key].as_i64().unwrap());
        assert_eq!(counts, [dead_lettered, waiting, discarded], "{one}");
    }
}
