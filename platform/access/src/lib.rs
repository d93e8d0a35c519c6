//! Who is calling, what the caller may do, and how services call each other.
//!
//! A service takes the extractor [`Caller`], or [`Access::authenticate`] on a hot path. Both use the [`Authenticator`]: it
//! asks a [`TokenAuthority`] about a token once a day, follows the log of revocations, and reports to the authority in the
//! background when tokens are used. What services ask each other is an [`InternalCall`]; what caused an event is a [`Cause`].
//!
//! Invariants: a secret is hashed on arrival and never kept; a text that is no token costs no look-up; restrictions of a
//! token only add up, so that an answer under way cannot undo a revocation; when the authority gives no answer, the caller
//! gets a 503 and never a 401.

mod authenticator;
mod authority;
mod caller;
mod cause;
mod config;
mod conventions;
mod denied;
mod entry;
mod feed_status;
mod follow;
mod forwarded;
mod headers;
mod internal;
mod principal;
mod public_uses;
mod report_uses;
mod uses;

pub use authenticator::Authenticator;
pub use authority::{AuthorityError, HttpAuthority, Refusal, TokenAuthority, Validated, Verdict};
pub use caller::{Access, Caller};
pub use cause::Cause;
pub use config::AuthenticatorConfig;
pub use conventions::with_conventions;
pub use denied::Denied;
pub use forwarded::{ForwardedIds, ForwardedPrincipal};
pub use headers::{CSRF_TOKEN_HEADER, FORWARDED_FOR_HEADER, SESSION_COOKIE};
pub use internal::{
    DiscardRecorded, InternalCall, InternalRoutes, NoteTokenUses, RecordDiscard, ResolveSession,
    ResolvedSession, TokenUsesNoted, ValidateToken,
};
pub use principal::{Principal, Subject};
pub use public_uses::{ALLOWED_ORIGIN_HEADER, for_browsers};
pub use uses::TokenUse;

#[cfg(test)]
mod tests;
