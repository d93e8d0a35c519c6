//! The service through its own door, on a database of its own.

mod batches;
mod clients;
mod corrections;
mod histories;
mod house;
mod identities;
mod records;
mod rejections;
