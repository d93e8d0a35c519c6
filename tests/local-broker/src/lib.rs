//! A real Apache Pulsar broker for `cargo xtask` and the tests, without containers: Maven resolves it once per machine,
//! Java runs it on any port.
//!
//! Invariants: every wait has a limit; a broker ends when its value is dropped; an error says what to do.

mod broker;
mod error;
mod http;
mod installation;

pub use broker::{Broker, Options, Security};
pub use error::Error;
pub use installation::{Installation, VERSION};

/// Asked while something is waited for: whether to give up.
pub type Interrupted<'a> = &'a dyn Fn() -> bool;

/// For callers that nobody interrupts.
#[must_use]
pub fn never() -> bool {
    false
}
