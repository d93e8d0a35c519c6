use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use chassis::{InternalKey, PRINCIPAL_HEADER, Problem, Unreadable, shown_secret};
use chrono::Utc;
use domain::token::Scope;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Extensions, HeaderMap};

use crate::headers::FORWARDED_FOR_HEADER;
use crate::public_uses::PublicUses;
use crate::{Authenticator, Denied, Principal};

/// What a service needs to know its callers; its state gives it by `FromRef`.
#[derive(Clone, Debug)]
pub struct Access {
    authenticator: Authenticator,
    key: InternalKey,
    public: PublicUses,
}

impl Access {
    /// `key` is what the gateway shows when it vouches for a session.
    #[must_use]
    pub fn new(authenticator: Authenticator, key: InternalKey) -> Self {
        Self { authenticator, key, public: PublicUses::default() }
    }

    /// Validates tokens.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// The secret that services share.
    #[must_use]
    pub fn internal_key(&self) -> &InternalKey {
        &self.key
    }

    /// Returns who is calling: the principal that the gateway forwards, the bearer of a token, or HTTP Basic with the token as
    /// the user name. Never the bearer of a public token, who may record and nothing else: see [`Self::recorder`].
    ///
    /// # Errors
    /// 401 with a kind of its own for each reason; 403 `token-public`; 503 if the token cannot be validated now.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Principal>, Problem> {
        let principal = self.identify(headers).await?;
        if principal.public.is_some() {
            return Err(Problem::forbidden("token-public").with_detail(
                "Everybody can read a public token, so it records activities, alone or in batches, and does nothing else. \
                 Use a token that is secret.",
            ));
        }
        Ok(principal)
    }

    /// Who is calling, also with a public token.
    async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Principal>, Problem> {
        if let Some(principal) = headers.get(PRINCIPAL_HEADER)
            && self.key.is_shown_by(headers)
        {
            let principal = serde_json::from_slice(principal.as_bytes()).map_err(Problem::internal)?;
            return Ok(Arc::new(principal));
        }
        let authorization = headers.get(AUTHORIZATION).ok_or(Denied::Missing)?;
        let address = self.client_address(headers);
        let token = shown_secret(authorization).map_err(|Unreadable| Denied::Malformed)?;
        let token = token.ok_or(Denied::Missing)?;
        Ok(self.authenticator.authenticate_from(&token, address, Utc::now()).await?)
    }

    /// Whether a request says in its headers who is calling.
    #[must_use]
    pub fn is_named_in(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(AUTHORIZATION)
            || (headers.contains_key(PRINCIPAL_HEADER) && self.key.is_shown_by(headers))
    }

    /// Returns who records: whoever has the scope `ingest`, and also the bearer of a public token, from the origins and at
    /// the rate that the token has. `extensions` are those of the request, for [`for_browsers`](crate::for_browsers).
    ///
    /// # Errors
    /// As [`Self::authenticate`]; 403 `scope-missing` or `origin-not-allowed`; 429.
    pub async fn recorder(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Arc<Principal>, Problem> {
        self.admit(self.identify(headers).await?, headers, extensions)
    }

    /// The same for a token that stands in the body of the request.
    ///
    /// # Errors
    /// As [`Self::recorder`].
    pub async fn recorder_with(
        &self,
        token: &str,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Arc<Principal>, Problem> {
        let address = self.client_address(headers);
        let principal = self.authenticator.authenticate_from(token, address, Utc::now()).await?;
        self.admit(principal, headers, extensions)
    }

    fn admit(
        &self,
        principal: Arc<Principal>,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Arc<Principal>, Problem> {
        match &principal.public {
            Some(public) => self.public.admit(principal.subject, public, headers, extensions)?,
            None => {
                principal.require(Scope::Ingest)?;
            }
        }
        Ok(principal)
    }

    /// The client's address, as the gateway saw it; it counts only beside the key, for anybody can claim an address.
    #[must_use]
    pub fn client_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let said = headers.get(FORWARDED_FOR_HEADER).filter(|_| self.key.is_shown_by(headers))?;
        said.to_str().ok()?.parse().ok()
    }
}

/// Extracts who is calling; rejects with 401 or 503.
#[derive(Clone, Debug)]
pub struct Caller(pub Arc<Principal>);

impl Caller {
    /// As [`Principal::require`].
    ///
    /// # Errors
    /// 403 `scope-missing`.
    pub fn require(&self, scope: Scope) -> Result<&Principal, Problem> {
        self.0.require(scope)
    }
}

impl<S> FromRequestParts<S> for Caller
where
    Access: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Access::from_ref(state).authenticate(&parts.headers).await.map(Self)
    }
}
