use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use super::{Address, Fleet, PLAIN};
use crate::support::Api;

const EDGES: usize = 4;
const REVOCATIONS: usize = 100;
const LIMIT: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn each_of_100_revocations_is_refused_within_1_s_at_four_edges() {
    let fleet = Fleet::start(Address::shared(), &[PLAIN; EDGES], &[]).await;
    let customer = fleet.customers(1).await.remove(0);
    let mut slowest = Duration::ZERO;
    for n in 0..REVOCATIONS {
        let issued = customer.issue(&["ingest"]).await;
        let token = issued["token"].as_str().unwrap();
        let edges: Vec<Api> =
            (0..EDGES).map(|edge| fleet.at_activities(edge, &customer).with_token(token)).collect();
        // Each edge has it in its cache, for a day.
        for edge in &edges {
            edge.record(&json!({"type": "a", "actor": "b"})).await;
        }
        let answer = customer.api.delete(&format!("/v1/tokens/{}", issued["id"].as_str().unwrap())).await;
        assert!(answer.status < 300, "{}", answer.text);
        let revoked = Instant::now();
        join_all(edges.iter().map(refused)).await;
        let took = revoked.elapsed();
        assert!(took < LIMIT, "revocation {n} took {took:?}");
        slowest = slowest.max(took);
    }
    eprintln!("{REVOCATIONS} revocations were refused at {EDGES} edges, the slowest after {slowest:?}");
}

/// Waits until an edge refuses.
async fn refused(edge: &Api) {
    while edge.post("/v1/activities", &json!({"type": "a", "actor": "b"})).await.status != 401 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
