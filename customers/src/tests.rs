//! The service through its own door, on a database of its own.

mod house;
mod matrix;
mod people;
mod rotations;
mod rules;
mod running;
mod sessions;
mod sign_up;
mod throttles;
mod tokens;
