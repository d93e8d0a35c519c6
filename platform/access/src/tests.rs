mod authority;
mod cache;
mod callers;
mod revocations;
mod uses;
mod zones;
