//! Foreign clients, by what they send.

mod cloudevents;
mod otlp;
mod posthog;
mod segment;

use http::Method;
use serde_json::Value;

use super::house::{Answer, House};

/// Sends a body to an address of a foreign protocol.
async fn post(house: &House, path: &str, body: &Value) -> Answer {
    house.send(Method::POST, path, body.to_string()).await
}

/// The contents that are recorded, in order.
async fn recorded(house: &House) -> Vec<Value> {
    let page = house.send(Method::GET, "/v1/history?limit=1000", "").await.body;
    page["items"].as_array().unwrap().iter().map(|event| event["payload"].clone()).collect()
}

/// The list of rejections, once it has this many.
async fn rejections(house: &House, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let page = house.send(Method::GET, "/v1/ingest/rejections", "").await.body;
        let items = page["items"].as_array().unwrap().clone();
        if items.len() >= count {
            return items;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("there are not {count} rejections after 5 s");
}

/// Content that is at fault alone, and what is wrong with it.
fn pointers(rejected: &Value) -> Vec<&str> {
    rejected["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}
