//! A month of believable activity: a small company that writes invoices with a web application.
//!
//! Invariants: the end of the month decides all of it, ids included, so recording it again adds nothing; nothing lies
//! in the future; it is recorded through the public door.

mod catalogue;
mod month;
pub(crate) mod random;
mod record;

pub(crate) use record::record;

/// Where the demo's people work.
pub(crate) const TIME_ZONE: chrono_tz::Tz = chrono_tz::Europe::Berlin;
