use chassis::{FieldError, Problem};
use event_store::{ExecuteError, LogError};
use http::StatusCode;

use crate::projection::FoldError;

/// Why a request to customers is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CustomersError {
    /// The body does not keep the rules.
    #[error("the body has {} faults", .0.len())]
    Invalid(Vec<FieldError>),
    /// Somebody has signed up with the address.
    #[error("the address is taken")]
    EmailTaken,
    /// No member has this address and password.
    #[error("wrong credentials")]
    WrongCredentials,
    /// No cookie, or one whose session has ended.
    #[error("no session")]
    SessionMissing,
    /// A write with a cookie came without the session's CSRF token.
    #[error("the csrf token is missing or wrong")]
    CsrfTokenMissing,
    /// The customer has no such token.
    #[error("no such token")]
    TokenNotFound,
    /// The token was revoked, and nothing more can happen to it.
    #[error("the token was revoked")]
    TokenRevoked,
    /// The token has ended.
    #[error("the token has ended")]
    TokenExpired,
    /// The customer has no such member.
    #[error("no such member")]
    MemberNotFound,
    /// The address is that of a member.
    #[error("the address is a member's")]
    AlreadyMember,
    /// An account of another customer has the address.
    #[error("the address is in use")]
    AddressInUse,
    /// A customer without an owner could never be managed again.
    #[error("the last owner")]
    LastOwner,
    /// No such invitation waits.
    #[error("no such invitation")]
    InvitationNotFound,
    /// Too many invitations wait.
    #[error("too many invitations")]
    TooManyInvitations,
    /// The member has no such session.
    #[error("no such session")]
    SessionNotFound,
    /// Too many attempts to log in have failed.
    #[error("too many attempts to log in")]
    TooManyLogIns {
        /// When to try again, in seconds.
        retry_after_s: u64,
    },
    /// Too many have signed up from the same address.
    #[error("too many sign-ups")]
    TooManySignUps {
        /// When to try again, in seconds.
        retry_after_s: u64,
    },
    /// Too many have asked for a link to choose a password with.
    #[error("too many resets")]
    TooManyResets {
        /// When to try again, in seconds.
        retry_after_s: u64,
    },
    /// The link to choose a password with was used, is too old, or another one took its place.
    #[error("no such reset")]
    ResetNotFound,
    /// Somebody has changed the password a moment ago.
    #[error("the password was changed meanwhile")]
    PasswordChangedMeanwhile,
    /// No relay is configured, so no link can be mailed.
    #[error("no mail is sent from here")]
    MailNotConfigured,
    /// Too many passwords wait to be hashed.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The caller is unknown, or may not do this.
    #[error("{}", .0.title)]
    Caller(Problem),
    /// The database or the log cannot be used now.
    #[error("{0}")]
    Unavailable(String),
    /// Anything that should not happen.
    #[error("{0}")]
    Internal(String),
}

const UNAVAILABLE_RETRY_AFTER_S: u64 = 2;
const BUSY_RETRY_AFTER_S: u64 = 1;

impl From<CustomersError> for Problem {
    fn from(error: CustomersError) -> Self {
        match error {
            CustomersError::Invalid(errors) => Self::invalid(errors),
            CustomersError::EmailTaken => Self::conflict("email-taken").with_detail(
                "Somebody has signed up with this address, or was doing so a moment ago. Log in, or use another address.",
            ),
            CustomersError::WrongCredentials => {
                Self::unauthorized("wrong-credentials").with_detail("No member has this address and this password.")
            }
            CustomersError::SessionMissing => {
                Self::unauthorized("session-missing").with_detail("There is no session. Log in with POST /v1/session.")
            }
            CustomersError::CsrfTokenMissing => Self::forbidden("csrf-token-missing").with_detail(
                "A write with the session cookie must send the csrf_token that GET /v1/session answers as x-csrf-token.",
            ),
            CustomersError::TokenNotFound => Self::not_found("token-not-found").with_detail("There is no such token."),
            CustomersError::TokenRevoked => Self::conflict("token-revoked")
                .with_detail("The token was revoked; nothing more can happen to it. Issue a new one."),
            CustomersError::TokenExpired => {
                Self::conflict("token-expired").with_detail("The token has ended. Issue a new one.")
            }
            CustomersError::MemberNotFound => {
                Self::not_found("member-not-found").with_detail("There is no such member.")
            }
            CustomersError::AlreadyMember => {
                Self::conflict("already-member").with_detail("The address is that of a member already.")
            }
            CustomersError::AddressInUse => Self::conflict("address-in-use").with_detail(
                "The address logs in for another customer, and an address belongs to one customer. Use another address of \
                 this person, or let the person leave the other customer first.",
            ),
            CustomersError::LastOwner => Self::conflict("last-owner")
                .with_detail("A customer must keep at least one owner. Make somebody else owner first."),
            CustomersError::InvitationNotFound => Self::not_found("invitation-not-found")
                .with_detail("The invitation is unknown, used, withdrawn or too old. Ask for a new link."),
            CustomersError::TooManyInvitations => Self::conflict("too-many-invitations")
                .with_detail("Too many invitations wait to be accepted. Withdraw some."),
            CustomersError::SessionNotFound => {
                Self::not_found("session-not-found").with_detail("There is no such session.")
            }
            CustomersError::TooManyLogIns { retry_after_s } => throttled(
                "too-many-log-ins",
                "Too many attempts to log in have failed, at this account or from this address. Wait, then try again.",
                retry_after_s,
            ),
            CustomersError::TooManySignUps { retry_after_s } => throttled(
                "too-many-sign-ups",
                "Too many customers have signed up from this address. Wait, then try again.",
                retry_after_s,
            ),
            CustomersError::TooManyResets { retry_after_s } => throttled(
                "too-many-resets",
                "Too many links were asked for, with this address or from this client. Wait, then try again.",
                retry_after_s,
            ),
            CustomersError::ResetNotFound => Self::not_found("reset-not-found")
                .with_detail("The link is unknown, used, replaced by a newer one, or too old. Ask for a new one."),
            CustomersError::PasswordChangedMeanwhile => Self::conflict("password-changed-meanwhile")
                .with_detail("The password was changed a moment ago, by somebody else or in another window."),
            CustomersError::MailNotConfigured => Self::conflict("mail-not-configured").with_detail(
                "No mail is sent from here. Whoever runs this Daybook can make a link for you: \
                 daybook members reset-password EMAIL.",
            ),
            CustomersError::Busy => Self::unavailable("busy", BUSY_RETRY_AFTER_S)
                .with_detail("Too many people are logging in at this moment. Try again."),
            CustomersError::Caller(problem) => problem,
            CustomersError::Unavailable(cause) => {
                tracing::warn!(%cause, "customers cannot serve a request");
                Self::unavailable("customers-unavailable", UNAVAILABLE_RETRY_AFTER_S)
                    .with_detail("Customers cannot be read or written at this moment. Try again.")
            }
            CustomersError::Internal(cause) => Self::internal(cause),
        }
    }
}

fn throttled(kind: &str, detail: &str, retry_after_s: u64) -> Problem {
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, kind).with_detail(detail);
    problem.retry_after_s = Some(retry_after_s);
    problem
}

chassis::returned_as_problem!(CustomersError);

impl From<LogError> for CustomersError {
    fn from(error: LogError) -> Self {
        error.classified(Self::Unavailable, Self::Internal)
    }
}

impl From<sqlx::Error> for CustomersError {
    fn from(error: sqlx::Error) -> Self {
        LogError::from(error).into()
    }
}

impl From<FoldError> for CustomersError {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Log(error) => error.into(),
            FoldError::Database(error) => error.into(),
            FoldError::Decode(_) => Self::Internal(error.to_string()),
        }
    }
}

impl<E: std::error::Error> From<ExecuteError<E>> for CustomersError {
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Conflict | ExecuteError::Unavailable(_) => Self::Unavailable(error.to_string()),
            // A rejection that the client can cause is handled where the command is given.
            ExecuteError::Refused(_) | ExecuteError::Broken(_) => Self::Internal(error.to_string()),
        }
    }
}
