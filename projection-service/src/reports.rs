//! Reports: each is a fold over the columns of one customer, in a file of its own.
//!
//! A report has what it is asked (`Parameters`), what it says (`Body`), and the two functions `answer` and `explain`; a
//! line in [`routes`] does the rest. It only reads, and knows neither HTTP nor SQL.

mod active_users;
mod activity;
mod actor_set;
mod actors;
mod by_actor;
mod durations;
mod etag;
mod export;
pub(crate) mod filter;
mod frame;
mod funnel;
mod groups;
#[cfg(test)]
pub(crate) mod in_memory;
mod listing;
mod matching;
mod moment;
mod parameters;
mod paths;
pub(crate) mod query;
mod range;
mod retention;
mod routes;
mod sessions;
mod source;
mod steps;
#[cfg(test)]
mod testing;
mod top;
mod units;
mod week_hours;

pub(crate) use routes::add;
