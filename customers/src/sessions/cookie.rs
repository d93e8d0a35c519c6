use access::SESSION_COOKIE;
use chrono::TimeDelta;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::secret::SessionSecret;

/// The secret in the request's session cookie.
pub(crate) fn read(headers: &HeaderMap) -> Option<SessionSecret> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    let session = cookies.find(|cookie| cookie.name() == SESSION_COOKIE)?;
    Some(SessionSecret::from_cookie(session.value()))
}

/// How cookies are set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    /// Whether browsers send the cookie over HTTPS alone.
    pub(crate) secure: bool,
    /// How long browsers keep it.
    pub(crate) ttl: TimeDelta,
}

impl Cookies {
    /// The header that sets the session's cookie.
    pub(crate) fn set(self, secret: &SessionSecret) -> [(HeaderName, HeaderValue); 1] {
        self.header(secret.reveal(), self.ttl.num_seconds())
    }

    /// The header that deletes it.
    pub(crate) fn clear(self) -> [(HeaderName, HeaderValue); 1] {
        self.header("", 0)
    }

    fn header(self, value: &str, max_age_s: i64) -> [(HeaderName, HeaderValue); 1] {
        let cookie = Cookie::build((SESSION_COOKIE, value))
            .http_only(true)
            .same_site(SameSite::Lax)
            .path("/")
            .max_age(cookie::time::Duration::seconds(max_age_s))
            .secure(self.secure);
        // The secret is one that we made, or came in a header itself, so it fits into one.
        let header = HeaderValue::try_from(cookie.to_string());
        let mut header = header.unwrap_or(HeaderValue::from_static("daybook_session="));
        header.set_sensitive(true);
        [(SET_COOKIE, header)]
    }
}
