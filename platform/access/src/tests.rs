mod authority;
mod cache;
mod callers;
mod calls;
mod causes;
mod revocations;
mod uses;
mod zones;
