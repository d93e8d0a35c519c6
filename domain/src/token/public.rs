use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// What a token may do that everybody can read, because it stands in a page or a program that people have: record, from
/// these origins alone, and no faster than this. It reads nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicUse {
    /// The pages that may use it, as browsers name them in `Origin` (RFC 6454, 6.2).
    pub allowed_origins: Vec<Origin>,
    /// How many requests a second may come with it.
    pub rate: NonZeroU32,
}

/// Where a page comes from: `https://example.com`, with a port if it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

impl PublicUse {
    /// The most origins of one token.
    pub const ORIGINS_MAX: usize = 20;
    /// The highest rate, in requests a second.
    pub const RATE_MAX: u32 = 10_000;
    /// The rate if none is given, in requests a second.
    pub const RATE_DEFAULT: NonZeroU32 = NonZeroU32::new(100).unwrap();

    /// Whether a page from there may use it.
    #[must_use]
    pub fn admits(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.0 == origin)
    }

    pub(super) fn is_within_limits(&self) -> bool {
        (1..=Self::ORIGINS_MAX).contains(&self.allowed_origins.len()) && self.rate.get() <= Self::RATE_MAX
    }
}

impl Origin {
    const CHARS_MAX: usize = 200;

    /// Reads an origin as a browser would send it; upper case, and the port that the scheme has anyway, are passed over.
    ///
    /// # Errors
    /// Why it is none, as a phrase.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str =
            "must be an origin, as https://example.com or http://localhost:3000, without a path";
        let text = text.trim().to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or(SHAPE)?;
        let own_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(SHAPE),
        };
        let authority = authority.strip_suffix(own_port).unwrap_or(authority);
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(is_name),
        };
        if !is_host || port.is_some_and(|port| port.parse::<u16>().is_err()) || text.len() > Self::CHARS_MAX {
            return Err(SHAPE);
        }
        Ok(Self(format!("{scheme}://{authority}")))
    }

    /// As browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_a_browser_sends_it() {
        for (text, origin) in [
            ("https://example.com", "https://example.com"),
            (" HTTPS://Example.com:443 ", "https://example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
        for text in [
            "",
            "example.com",
            "https://",
            "https://example.com/",
            "https://example.com/shop",
            "https://*.example.com",
            "https://a@example.com",
            "https://example.com:x",
            "https://example.com:99999",
            "ftp://example.com",
            "null",
            "*",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_named_origins_are_admitted() {
        let public = PublicUse {
            allowed_origins: vec![Origin::parse("https://example.com").unwrap()],
            rate: PublicUse::RATE_DEFAULT,
        };
        assert!(public.admits("https://example.com"));
        for other in
            ["http://example.com", "https://example.com.evil.org", "https://www.example.com", "null", ""]
        {
            assert!(!public.admits(other), "{other}");
        }
    }
}
