use bytes::Bytes;
use chassis::{InternalKey, StartError, Upstream};

use crate::client::TrustedProxies;
use crate::config::{Config, Limits};
use crate::cookies::SessionCookie;
use crate::credentials::Credentials;
use crate::rates::Rates;
use crate::request_limit::RequestLimit;
use crate::routes::Target;
use crate::sessions::Sessions;
use crate::site::Site;

/// What the handlers share.
pub(crate) struct AppState {
    activities: Upstream,
    customers: Upstream,
    reports: Upstream,
    pub(crate) internal_key: InternalKey,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) session_cookie: SessionCookie,
    pub(crate) limits: Limits,
    pub(crate) request_limit: RequestLimit,
    pub(crate) sessions: Sessions,
    pub(crate) rates: Rates,
    pub(crate) credentials: Credentials,
    pub(crate) openapi: Bytes,
    pub(crate) site: Site,
}

impl AppState {
    /// # Errors
    /// [`StartError::Unusable`] if the OpenAPI document cannot be written as JSON.
    pub(crate) fn new(config: Config, site: Site) -> Result<Self, StartError> {
        let openapi = serde_json::to_vec(&config.openapi).map_err(|error| {
            StartError::Unusable(format!("the OpenAPI document cannot be written: {error}"))
        })?;
        Ok(Self {
            request_limit: RequestLimit::new(config.limits.requests_max),
            sessions: Sessions::new(config.customers.clone(), config.internal_key.clone(), config.limits),
            rates: Rates::new(config.limits.rates),
            credentials: Credentials::new(
                config.limits,
                config.customers.clone(),
                config.internal_key.clone(),
            ),
            activities: config.activities,
            customers: config.customers,
            reports: config.reports,
            internal_key: config.internal_key,
            trusted_proxies: config.trusted_proxies,
            session_cookie: config.session_cookie,
            limits: config.limits,
            openapi: openapi.into(),
            site,
        })
    }

    pub(crate) fn upstream(&self, target: Target) -> &Upstream {
        match target {
            Target::Activities => &self.activities,
            Target::Customers => &self.customers,
            Target::Reports => &self.reports,
        }
    }
}
