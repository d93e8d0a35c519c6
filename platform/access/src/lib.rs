//! Who is calling, what the caller may do, and how services speak with each other.
//!
//! A service takes the extractor [`Caller`], or [`Access::authenticate`] where it is hot. Behind both stands the
//! [`Authenticator`]: it asks a [`TokenAuthority`] about a token once a day, follows the log of revocations, and tells the
//! authority in the background when tokens are used.
//!
//! Invariants: a secret is hashed at the door and never kept; a text that is no token costs no look-up; what is known of a
//! token only ever narrows, so a revocation cannot be undone by an answer that was under way; no answer from the authority
//! is not an answer, and never a 401.

mod authenticator;
mod authority;
mod caller;
mod cause;
mod config;
mod denied;
mod entry;
mod follow;
mod forwarded;
mod headers;
mod internal;
mod link;
mod principal;
mod report;
mod uses;

pub use authenticator::Authenticator;
pub use authority::{AuthorityError, HttpAuthority, Refusal, TokenAuthority, Validated, Verdict};
pub use caller::{Access, Caller};
pub use cause::Cause;
pub use config::AuthenticatorConfig;
pub use denied::Denied;
pub use forwarded::{ForwardedIds, ForwardedPrincipal};
pub use headers::{CSRF_TOKEN_HEADER, FORWARDED_FOR_HEADER, SESSION_COOKIE};
pub use internal::{
    DiscardRecorded, InternalCall, InternalRoutes, NoteTokenUses, RecordDiscard, ResolveSession,
    ResolvedSession, TokenUsesNoted, ValidateToken,
};
pub use principal::{Principal, Subject};
pub use uses::TokenUse;

#[cfg(test)]
mod tests;
