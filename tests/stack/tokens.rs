//! Tokens, by their routes.

mod issue;
mod listing;
mod revoke;
mod rotate;
