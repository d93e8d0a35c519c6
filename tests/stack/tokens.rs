//! Tokens, by their routes.

mod issue;
mod listing;
mod public;
mod revoke;
mod rotate;
