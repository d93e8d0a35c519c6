//! Sessions of the dashboard.

mod csrf;
mod limits;
mod listing;
mod log_in;

use serde_json::json;

use crate::support::{Answer, Api};

pub(crate) async fn log_in(api: &Api, email: &str, password: &str) -> Answer {
    api.post("/v1/session", &json!({"email": email, "password": password})).await
}
