use access::SESSION_COOKIE;
use axum_extra::extract::CookieJar;
use chrono::TimeDelta;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::sessions::SessionSecret;

/// The secret of the request's cookie.
pub(crate) fn read(headers: &HeaderMap) -> Option<SessionSecret> {
    CookieJar::from_headers(headers)
        .get(SESSION_COOKIE)
        .map(|cookie| SessionSecret::from_cookie(cookie.value()))
}

/// How cookies are set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    /// Over HTTPS alone.
    pub(crate) secure: bool,
    pub(crate) ttl: TimeDelta,
}

impl Cookies {
    /// Lets the browser keep the session.
    pub(crate) fn keep(self, secret: &SessionSecret) -> [(HeaderName, HeaderValue); 1] {
        self.header(secret.reveal(), self.ttl.num_seconds())
    }

    /// Lets the browser forget it.
    pub(crate) fn forget(self) -> [(HeaderName, HeaderValue); 1] {
        self.header("", 0)
    }

    fn header(self, value: &str, max_age_s: i64) -> [(HeaderName, HeaderValue); 1] {
        let secure = if self.secure { "; Secure" } else { "" };
        let text =
            format!("{SESSION_COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age_s}{secure}");
        // A secret that came in a cookie went through a header once already.
        let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("daybook_session="));
        header.set_sensitive(true);
        [(SET_COOKIE, header)]
    }
}
