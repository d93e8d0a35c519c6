use std::net::IpAddr;

use access::{CSRF_TOKEN_HEADER, FORWARDED_FOR_HEADER, SESSION_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// With this begin the headers that services set for each other, and nobody else may.
const INTERNAL_PREFIX: &str = "x-daybook-";
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What concerns one connection only (RFC 9110, 7.6.1). `Expect` is among them because the gateway has already
/// answered it by reading the body.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
];

/// Removes the headers that concern one connection, and those that only services may set, from a request or a response.
pub(crate) fn strip(headers: &mut HeaderMap) {
    // Most have none of them, and are searched once.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name) || is_internal(name)) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    let internal: Vec<HeaderName> = headers.keys().filter(|name| is_internal(name)).cloned().collect();
    for name in internal {
        headers.remove(name);
    }
}

fn is_internal(name: &HeaderName) -> bool {
    name.as_str().starts_with(INTERNAL_PREFIX)
}

/// Sets the client's address, and removes what anybody else said about it.
pub(crate) fn set_forwarded_for(headers: &mut HeaderMap, client: Option<IpAddr>) {
    for name in [header::FORWARDED, FORWARDED_FOR_HEADER, FORWARDED_PROTO] {
        headers.remove(name);
    }
    let address = client.and_then(|client| HeaderValue::from_str(&client.to_string()).ok());
    if let Some(address) = address {
        headers.insert(FORWARDED_FOR_HEADER, address);
    }
}

/// What a page of another origin may read besides the body.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ratelimit, ratelimit-policy, retry-after, x-request-id");

/// Lets a page of this origin read a response; it never shows a session, so that credentials of a browser stay out of it.
pub(crate) fn set_allowed_origin(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// The session cookie's value, of a request whose cookies are as services see them.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='))
}

/// The CSRF token.
pub(crate) fn csrf_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(CSRF_TOKEN_HEADER)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn what_connection_names_goes_too() {
        let mut headers = map(&[
            ("connection", "keep-alive, X-Mine"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("x-daybook-anything", "1"),
            ("traceparent", "00-1-2-01"),
        ]);
        strip(&mut headers);
        assert_eq!(headers, map(&[("traceparent", "00-1-2-01")]));
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let headers = map(&[("cookie", "theme=dark; daybook_session=abc; x=y")]);
        assert_eq!(session_cookie(&headers), Some("abc"));
        assert_eq!(session_cookie(&map(&[("cookie", "daybook_session_old=abc")])), None);
    }
}
