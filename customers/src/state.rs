use std::sync::Arc;

use access::{Access, Principal};
use axum::extract::FromRef;
use domain::customer::Customer;
use domain::token::Token;
use event_store::Aggregates;
use sqlx::PgPool;

use crate::authority::OwnAuthority;
use crate::cookies::Cookies;
use crate::forgotten::ForgottenQueue;
use crate::mail::Mailer;
use crate::passwords::Passwords;
use crate::projection::Projection;
use crate::sessions::Lifetimes;
use crate::throttle::LogInLimits;

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
    /// Who has forgotten a password; none where no mail is sent.
    pub(crate) forgotten: Option<ForgottenQueue>,
    pub(crate) authority: Arc<OwnAuthority>,
    pub(crate) access: Access,
}

impl FromRef<AppState> for Access {
    fn from_ref(state: &AppState) -> Self {
        state.access.clone()
    }
}

/// The id of a token's stream, in the caller's own customer: another customer's token cannot be named.
pub(crate) fn token_stream(principal: &Principal, token: domain::TokenId) -> String {
    format!("{}:{token}", principal.customer_id)
}
