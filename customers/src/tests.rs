//! The service through its own door, on a database of its own.

mod house;
mod passwords;
mod people;
mod rotations;
mod running;
mod sessions;
mod sign_up;
mod throttles;
mod tokens;
