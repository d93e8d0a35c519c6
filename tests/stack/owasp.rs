//! The OWASP API Security Top 10 (2023): each risk as attacks on the running system, and the refusal that meets them.

mod api10_unsafe_consumption_of_apis;
mod api1_broken_object_level_authorization;
mod api2_broken_authentication;
mod api3_broken_object_property_level_authorization;
mod api4_unrestricted_resource_consumption;
mod api5_broken_function_level_authorization;
mod api6_unrestricted_access_to_sensitive_business_flows;
mod api7_server_side_request_forgery;
mod api8_security_misconfiguration;
mod api9_improper_inventory_management;

use std::sync::OnceLock;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Stack;

/// Requests a second with one token.
const REQUESTS_PER_S: usize = 30;
/// Log-ins that may fail.
const LOG_INS_MAX: usize = 3;
/// Customers that may sign up from one address.
const SIGN_UPS_MAX: usize = 6;

/// A system with limits that are soon reached. It ends with the tests.
fn narrow() -> &'static Stack {
    static NARROW: OnceLock<Stack> = OnceLock::new();
    NARROW.get_or_init(|| {
        Stack::start_with(
            &[],
            &[
                ("DAYBOOK_GATEWAY_CREDENTIAL_REQUESTS_PER_S", &REQUESTS_PER_S.to_string()),
                ("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", &LOG_INS_MAX.to_string()),
                ("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", &SIGN_UPS_MAX.to_string()),
                ("DAYBOOK_CUSTOMERS_COOKIE_SECURE", "true"),
            ],
        )
    })
}

/// Sends bytes that no well-behaved client sends, and returns the response until the connection closes.
async fn raw(url: &str, request: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has been refused too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status in the first line of an answer.
#[track_caller]
fn status(answer: &str) -> u16 {
    let status =
        answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|text| text.parse().ok());
    status.unwrap_or_else(|| panic!("no answer of HTTP: {answer:?}"))
}
