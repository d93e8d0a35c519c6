use std::sync::Arc;

use access::Access;
use axum::extract::FromRef;
use domain::customer::Customer;
use domain::token::Token;
use event_store::Aggregates;
use sqlx::PgPool;

use crate::mail::Mailer;
use crate::passwords::hashing::Passwords;
use crate::passwords::reset_mail::ResetMails;
use crate::projection::Projection;
use crate::sessions::cookie::Cookies;
use crate::sessions::lifetimes::Lifetimes;
use crate::throttle::LogInLimits;
use crate::tokens::authority::OwnAuthority;

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) pool: PgPool,
    pub(crate) customers: Arc<Aggregates<Customer>>,
    pub(crate) tokens: Arc<Aggregates<Token>>,
    pub(crate) projection: Projection,
    pub(crate) passwords: Passwords,
    pub(crate) cookies: Cookies,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) log_ins: LogInLimits,
    /// Where people find the public door, without a slash at the end.
    pub(crate) public_url: Arc<str>,
    pub(crate) mailer: Option<Mailer>,
    /// Mails links to choose a password with; `None` where no mail is sent.
    pub(crate) reset_mails: Option<ResetMails>,
    pub(crate) authority: Arc<OwnAuthority>,
    pub(crate) access: Access,
}

impl FromRef<AppState> for Access {
    fn from_ref(state: &AppState) -> Self {
        state.access.clone()
    }
}
