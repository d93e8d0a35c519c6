//! Reports: each is a fold over the columns of one customer, in a file of its own.

pub(crate) mod filter;
#[cfg(test)]
pub(crate) mod in_memory;
pub(crate) mod query;

mod active_users;
mod actor_set;
mod by_actor;
mod durations;
mod funnel;
mod matching;
mod paths;
mod retention;
mod sessions;
mod source;
mod steps;
#[cfg(test)]
mod testing;
mod units;
