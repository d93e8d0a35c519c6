//! Public tokens: from where they are used, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use chassis::Problem;
use domain::token::PublicUse;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::ORIGIN;
use http::{Extensions, HeaderMap, HeaderName, StatusCode};
use moka::sync::Cache;

use crate::Subject;

/// Which page may read a response: a service tells the gateway, which alone speaks with browsers.
pub const ALLOWED_ORIGIN_HEADER: HeaderName = HeaderName::from_static("x-daybook-allowed-origin");

const TOKENS_MAX: u64 = 100_000;
/// Longer than it takes until all of a rate may be used again.
const IDLE: Duration = Duration::from_mins(1);
const RETRY_AFTER_S: u64 = 1;

/// How often each public token is used, in this process.
#[derive(Clone, Debug)]
pub(crate) struct PublicUses(Cache<Subject, Arc<DefaultDirectRateLimiter>>);

impl Default for PublicUses {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TOKENS_MAX).time_to_idle(IDLE).build())
    }
}

impl PublicUses {
    /// Lets a request in that comes with a public token: from a page that may use it or from no page at all, and not too
    /// soon after others.
    pub(crate) fn admit(
        &self,
        subject: Subject,
        public: &PublicUse,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<(), Problem> {
        if let Some(origin) = headers.get(ORIGIN) {
            if !origin.to_str().is_ok_and(|origin| public.admits(origin)) {
                return Err(Problem::forbidden("origin-not-allowed").with_detail(
                    "This token may not be used from this page; its origin is not among those allowed.",
                ));
            }
            if let Some(Admitted(admitted)) = extensions.get() {
                admitted.store(true, Ordering::Relaxed);
            }
        }
        let limiter =
            self.0.get_with(subject, || Arc::new(RateLimiter::direct(Quota::per_second(public.rate))));
        limiter.check().map_err(|_| {
            metrics::counter!("daybook_public_token_rate_limited_total").increment(1);
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited").with_detail(format!(
                "This public token may come with {} requests a second; nothing of this one was done.",
                public.rate
            ));
            Problem { retry_after_s: Some(RETRY_AFTER_S), ..problem }
        })
    }
}

/// Whether the page that a request comes from may read the response.
#[derive(Clone, Default)]
struct Admitted(Arc<AtomicBool>);

/// Answers a request that a page may make: if the token admits the page, the response says so to the gateway, also when it
/// is an error. `answer` must ask [`Access::recorder`](crate::Access::recorder) with the extensions of its request. Not a
/// layer, which would cost each request a boxed future.
pub async fn for_browsers<R: IntoResponse, F: Future<Output = R>>(
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return answer(request).await.into_response();
    };
    let admitted = Admitted::default();
    request.extensions_mut().insert(admitted.clone());
    let mut response = answer(request).await.into_response();
    if admitted.0.load(Ordering::Relaxed) {
        response.headers_mut().insert(ALLOWED_ORIGIN_HEADER, origin);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use domain::TokenId;
    use domain::token::Origin;
    use http::HeaderValue;
    use uuid::Uuid;

    use super::*;

    fn public(rate: u32) -> PublicUse {
        let allowed_origins = vec![Origin::parse("https://example.com").unwrap()];
        PublicUse { allowed_origins, rate: NonZeroU32::new(rate).unwrap() }
    }

    fn admit(
        uses: &PublicUses,
        token: u128,
        public: &PublicUse,
        origin: Option<&'static str>,
    ) -> Result<bool, u16> {
        let headers = origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin))).into_iter().collect();
        let (mut extensions, admitted) = (Extensions::new(), Admitted::default());
        extensions.insert(admitted.clone());
        let subject = Subject::Token(TokenId(Uuid::from_u128(token)));
        let outcome = uses.admit(subject, public, &headers, &extensions);
        outcome.map(|()| admitted.0.load(Ordering::Relaxed)).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn a_page_is_told_only_if_the_token_admits_it() {
        let (uses, public) = (PublicUses::default(), public(100));
        assert_eq!(admit(&uses, 1, &public, Some("https://example.com")), Ok(true));
        assert_eq!(admit(&uses, 1, &public, None), Ok(false));
        for origin in ["https://evil.example", "null", "http://example.com"] {
            assert_eq!(admit(&uses, 1, &public, Some(origin)), Err(403), "{origin}");
        }
    }

    #[test]
    fn each_token_has_a_rate_of_its_own() {
        let (uses, public) = (PublicUses::default(), public(2));
        let outcomes: Vec<_> = (0..3).map(|_| admit(&uses, 1, &public, None)).collect();
        assert_eq!(outcomes, [Ok(false), Ok(false), Err(429)]);
        assert_eq!(admit(&uses, 2, &public, None), Ok(false));
    }
}
