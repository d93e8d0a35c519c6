use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::{InternalCall, ResolveSession, ResolvedSession};
use chassis::{InternalKey, Upstream, UpstreamError};
use http::HeaderValue;
use moka::future::Cache;
use moka::ops::compute::Op;

use crate::config::Limits;
use crate::error::GatewayError;
use crate::routes::Target;

/// A cache of the sessions that customers has lately resolved.
///
/// A dashboard asks for many things at once, all with the same cookie. A log-out overwrites the entry instead of deleting
/// it, so that an answer still under way cannot put the session back.
pub(crate) struct Sessions {
    customers: Upstream,
    key: InternalKey,
    cache: Cache<String, CachedSession>,
    /// Counts the changes of members and sessions that went through this gateway. An entry from before the last one is not
    /// used, and neither is an answer that was under way when it happened.
    changes: AtomicU64,
}

#[derive(Clone)]
enum CachedSession {
    Live {
        principal: HeaderValue,
        /// The CSRF token, once a request has shown the right one.
        csrf: Option<Arc<str>>,
        /// The count of changes when customers was asked.
        after: u64,
    },
    Ended,
}

/// The longest cookie or CSRF token that customers is asked about, in bytes; real ones are far shorter.
const SECRET_BYTES_MAX: usize = 512;

impl Sessions {
    pub(crate) fn new(customers: Upstream, key: InternalKey, limits: Limits) -> Self {
        let cache =
            Cache::builder().max_capacity(limits.sessions_max).time_to_live(limits.session_cache_ttl).build();
        Self { customers, key, cache, changes: AtomicU64::new(0) }
    }

    /// The principal behind a cookie, as the header for the services. A write must show the session's CSRF token.
    ///
    /// # Errors
    /// The session is over, the token is wrong, or customers gives no answer.
    pub(crate) async fn resolve(
        &self,
        cookie: &str,
        csrf: Option<&str>,
        write: bool,
    ) -> Result<HeaderValue, GatewayError> {
        if cookie.len() > SECRET_BYTES_MAX {
            return Err(GatewayError::SessionExpired);
        }
        let csrf = csrf.filter(|csrf| csrf.len() <= SECRET_BYTES_MAX);
        match self.cache.get(cookie).await {
            Some(CachedSession::Ended) => return Err(GatewayError::SessionExpired),
            Some(CachedSession::Live { principal, csrf: proven, after })
                if after == self.changes.load(Ordering::Acquire) =>
            {
                if !write || (csrf.is_some() && csrf == proven.as_deref()) {
                    return Ok(principal);
                }
                if csrf.is_none() {
                    return Err(GatewayError::CsrfTokenMissing);
                }
            }
            Some(CachedSession::Live { .. }) | None => {}
        }
        self.ask(cookie, csrf, write).await
    }

    async fn ask(&self, cookie: &str, csrf: Option<&str>, write: bool) -> Result<HeaderValue, GatewayError> {
        let after = self.changes.load(Ordering::Acquire);
        let call = ResolveSession { cookie: cookie.to_owned(), csrf: csrf.map(str::to_owned) };
        let answer = call.ask(&self.customers, &self.key).await.map_err(|error| GatewayError::Upstream {
            service: Target::Customers,
            // To the client it makes no difference whether customers is slow or gone: nothing has been done yet.
            error: match error {
                UpstreamError::TimedOut(_) => UpstreamError::Unreachable(error.to_string()),
                other => other,
            },
        })?;
        let ResolvedSession::Live { principal, csrf_ok } = answer else {
            self.store(cookie, CachedSession::Ended).await;
            return Err(GatewayError::SessionExpired);
        };
        let principal =
            principal.header().ok_or(GatewayError::Internal("customers resolved a session to nobody"))?;
        let proven = csrf.filter(|_| csrf_ok).map(Arc::from);
        self.store(cookie, CachedSession::Live { principal: principal.clone(), csrf: proven, after }).await;
        if write && !csrf_ok {
            return Err(GatewayError::CsrfTokenMissing);
        }
        Ok(principal)
    }

    /// Ends a session: no earlier answer about it counts any more.
    pub(crate) async fn end(&self, cookie: &str) {
        self.store(cookie, CachedSession::Ended).await;
    }

    /// Expires every entry, because somebody's role or sessions have changed.
    pub(crate) fn expire_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Writes an entry; an ended session stays ended.
    async fn store(&self, cookie: &str, session: CachedSession) {
        let entry = self.cache.entry_by_ref(cookie);
        entry
            .and_compute_with(|existing| {
                ready(match existing {
                    Some(entry) if matches!(entry.value(), CachedSession::Ended) => Op::Nop,
                    _ => Op::Put(session),
                })
            })
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_under_way_cannot_bring_back_an_ended_session() {
        let customers: Upstream = "http://127.0.0.1:1".parse().unwrap();
        let sessions = Sessions::new(customers, InternalKey::random(), Limits::default());
        sessions.end("abc").await;
        sessions
            .store(
                "abc",
                CachedSession::Live { principal: HeaderValue::from_static("{}"), csrf: None, after: 0 },
            )
            .await;
        let resolved = sessions.resolve("abc", None, false).await;
        assert!(matches!(resolved, Err(GatewayError::SessionExpired)));
    }
}
