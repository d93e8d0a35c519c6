//! The session's cookie, as browsers know it and as services do.
//!
//! Browsers share the cookies of a host among everything that runs there, on whatever port, and send what others have set
//! along with ours. So our cookie's name has a hash of this instance in it, all other cookies are skipped, however they are
//! written, and services see ours alone, under a name that never changes.
//!
//! This is by hand, on bytes, because a cookie of somebody else may be no UTF-8 and no valid cookie at all, and must not hide
//! ours; and because what a service sets goes on as it is but for the name.

use access::SESSION_COOKIE;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

/// Bytes of the instance's hash in the cookie's name, each as two digits.
const INSTANCE_BYTES: usize = 4;
/// Characters of a session's secret: 32 bytes as base64 without padding.
const SECRET_CHARS: usize = 43;

/// The name of this instance's cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCookie(String);

impl SessionCookie {
    /// The cookie of the instance that this names: the same at all of its gateways, and another one elsewhere.
    #[must_use]
    pub fn of_instance(instance: &str) -> Self {
        let hash = Sha256::digest(format!("daybook session cookie:{instance}"));
        let digits: String = hash
            .iter()
            .take(INSTANCE_BYTES)
            .fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        Self(format!("{SESSION_COOKIE}_{digits}"))
    }

    /// A cookie of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The cookie's name, as browsers know it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The session's secret. A browser sends several cookies of the name if they were set for different paths: then the first
    /// that has the form of a secret, or the first of all if none has.
    pub(crate) fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let ours = || {
            let values =
                headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
            values.filter_map(|pair| self.value(pair))
        };
        ours().find(|value| is_secret(value)).or_else(|| ours().next())
    }

    fn value<'a>(&self, pair: &'a [u8]) -> Option<&'a str> {
        let value =
            pair.trim_ascii().strip_prefix(self.0.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?;
        let value = std::str::from_utf8(value.trim_ascii()).ok().filter(|value| value.is_ascii())?;
        Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
    }

    /// Replaces the cookies of a request by the session's cookie, as services know it.
    pub(crate) fn rename_for_services(&self, headers: &mut HeaderMap) {
        let inside = self.read(headers).and_then(|secret| {
            HeaderValue::from_bytes(&[SESSION_COOKIE.as_bytes(), b"=", secret.as_bytes()].concat()).ok()
        });
        headers.remove(COOKIE);
        if let Some(mut inside) = inside {
            inside.set_sensitive(true);
            headers.insert(COOKIE, inside);
        }
    }

    /// Renames the cookie that a service sets to the one that browsers know. Over HTTPS it becomes `Secure`.
    pub(crate) fn rename_for_browsers(&self, headers: &mut HeaderMap, https: bool) {
        if !headers.contains_key(SET_COOKIE) {
            return;
        }
        let renamed: Vec<HeaderValue> = headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|set| self.renamed(set, https).unwrap_or(set.clone()))
            .collect();
        headers.remove(SET_COOKIE);
        for set in renamed {
            headers.append(SET_COOKIE, set);
        }
    }

    fn renamed(&self, set: &HeaderValue, https: bool) -> Option<HeaderValue> {
        let rest =
            set.as_bytes().strip_prefix(SESSION_COOKIE.as_bytes()).filter(|rest| rest.starts_with(b"="))?;
        let is_secure = |attribute: &[u8]| attribute.trim_ascii().eq_ignore_ascii_case(b"secure");
        let secure: &[u8] =
            if https && !rest.split(|byte| *byte == b';').any(is_secure) { b"; Secure" } else { b"" };
        let mut renamed = HeaderValue::from_bytes(&[self.0.as_bytes(), rest, secure].concat()).ok()?;
        renamed.set_sensitive(true);
        Some(renamed)
    }
}

fn is_secret(value: &str) -> bool {
    value.len() == SECRET_CHARS
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCD-_x";

    fn cookies(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn foreign_cookies_hide_nothing_however_they_are_written() {
        let cookie = SessionCookie::named("daybook_session_1");
        let ours = format!("daybook_session_1={SECRET}");
        for foreign in [
            &b"theme=dark"[..],
            "name=Zoë".as_bytes(),
            b"x=\xff\xfe",
            b"daybook_session=0",
            b"daybook_session_12=0",
            b"=",
            b"a=\"b",
            b"daybook_session_1",
        ] {
            let before = [foreign, b"; ", ours.as_bytes()].concat();
            let after = [ours.as_bytes(), b";", foreign].concat();
            for headers in [cookies(&[&before]), cookies(&[&after]), cookies(&[foreign, ours.as_bytes()])] {
                assert_eq!(cookie.read(&headers), Some(SECRET), "{headers:?}");
            }
            assert_eq!(cookie.read(&cookies(&[foreign])), None, "{}", foreign.escape_ascii());
        }
    }

    #[test]
    fn of_two_of_the_same_name_the_one_that_can_be_a_session_counts() {
        let cookie = SessionCookie::named("s");
        let other = SECRET.replace('x', "y");
        assert_eq!(cookie.read(&cookies(&[format!("s=stale; s={SECRET}").as_bytes()])), Some(SECRET));
        assert_eq!(
            cookie.read(&cookies(&[format!("s=Zoë; s=\"{SECRET}\"; s={other}").as_bytes()])),
            Some(SECRET)
        );
        assert_eq!(cookie.read(&cookies(&[b"s=stale; s=old"])), Some("stale"));
    }

    #[test]
    fn a_service_sees_ours_alone_under_a_name_of_its_own() {
        let cookie = SessionCookie::named("s_1");
        let mut headers = cookies(&["name=Zoë".as_bytes(), format!("s_1={SECRET}").as_bytes()]);
        cookie.rename_for_services(&mut headers);
        assert_eq!(headers, cookies(&[format!("daybook_session={SECRET}").as_bytes()]));
        let mut headers = cookies(&[b"daybook_session=x"]);
        cookie.rename_for_services(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_browser_sees_the_instances_name_and_over_https_a_secure_cookie() {
        let cookie = SessionCookie::named("s_1");
        let set = |text: &'static str, https| {
            let mut headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static(text))]);
            cookie.rename_for_browsers(&mut headers, https);
            headers[SET_COOKIE].to_str().unwrap().to_owned()
        };
        assert_eq!(set("daybook_session=x; HttpOnly; Path=/", false), "s_1=x; HttpOnly; Path=/");
        assert_eq!(set("daybook_session=x; Path=/", true), "s_1=x; Path=/; Secure");
        assert_eq!(set("daybook_session=x; secure; Path=/", true), "s_1=x; secure; Path=/");
        assert_eq!(set("other=x", true), "other=x");
    }

    #[test]
    fn instances_have_names_of_their_own() {
        let name = |instance: &str| SessionCookie::of_instance(instance).name().to_owned();
        assert_eq!(name("http://127.0.0.1:8080"), name("http://127.0.0.1:8080"));
        assert_ne!(name("http://127.0.0.1:8080"), name("http://127.0.0.1:8081"));
        assert!(name("x").len() == "daybook_session_".len() + 2 * INSTANCE_BYTES);
    }
}
