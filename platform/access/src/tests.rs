mod authority;
mod cache;
mod callers;
mod revocations;
