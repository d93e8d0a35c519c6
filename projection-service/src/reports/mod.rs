//! Reports: each is a fold over the columns of one customer, in a file of its own.

pub(crate) mod query;
