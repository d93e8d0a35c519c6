//! A token: what a program shows to be let in. Its secret is never here, only the SHA-256 of it.

mod aggregate;
mod public;
mod scope;
mod secret;

pub use aggregate::{Token, TokenCommand, TokenError, TokenEvent, TokenIssued, TokenRevoked, TokenRotated};
pub use public::{Origin, PublicUse};
pub use scope::{Scope, Scopes};
pub use secret::{SecretFault, TokenHash, TokenSecret};
