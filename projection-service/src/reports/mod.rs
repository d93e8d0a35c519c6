//! Reports: each is a fold over the columns of one customer, in a file of its own.

pub(crate) mod filter;
#[cfg(test)]
pub(crate) mod in_memory;
pub(crate) mod query;
