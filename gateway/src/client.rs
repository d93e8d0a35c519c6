//! Who connects: the peer itself, or, behind proxies that we trust, the client that the outermost of them saw.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use access::FORWARDED_FOR_HEADER;
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The most hops that are looked at, from our own peer outwards.
const HOPS_MAX: usize = 32;

/// The networks of proxies that are believed. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let networks = text.split([',', ' ']).filter(|one| !one.is_empty()).map(|one| {
            let network = one.parse::<IpNet>().or_else(|_| one.parse::<IpAddr>().map(IpNet::from));
            network
                .map_err(|_| format!("{one:?} is no address and no network such as 10.0.0.0/8 or fd00::/8"))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether a proxy that we trust says that the client spoke HTTPS to it.
    pub(crate) https: bool,
}

impl Client {
    /// Returns the client of a request that `peer` sent. Each proxy adds the address that it saw at the right, so the client
    /// is the rightmost hop that is no proxy of ours; what is further left, that client may have made up.
    ///
    /// A proxy writes `X-Forwarded-For` or `Forwarded` (RFC 7239) and passes on whatever the client calls by the other
    /// name. If they disagree, neither is believed, and the peer counts.
    pub(crate) fn of(peer: SocketAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let peer = peer.ip().to_canonical();
        let direct = Self { address: peer, https: false };
        if !trusted.has(peer) {
            return direct;
        }
        let elements = list(headers, &header::FORWARDED).unwrap_or_default();
        let forwarded: Vec<Option<IpAddr>> =
            elements.iter().map(|element| address(&pair(element, "for")?)).collect();
        let listed = list(headers, &FORWARDED_FOR_HEADER).unwrap_or_default();
        let listed: Vec<Option<IpAddr>> = listed.iter().map(|hop| address(hop)).collect();
        let address = match (listed.is_empty(), forwarded.is_empty()) {
            (true, true) => return Self { https: protocol(headers, None), ..direct },
            (false, true) => outermost(peer, &listed, trusted),
            (true, false) => outermost(peer, &forwarded, trusted),
            (false, false) => {
                let (one, other) = (outermost(peer, &listed, trusted), outermost(peer, &forwarded, trusted));
                if one == other { one } else { peer }
            }
        };
        Self { address, https: protocol(headers, elements.last()) }
    }
}

/// The rightmost hop that is not trusted, or the leftmost if all are. A hop that cannot be read hides what is left of it.
fn outermost(peer: IpAddr, hops: &[Option<IpAddr>], trusted: &TrustedProxies) -> IpAddr {
    let mut known = peer;
    for hop in hops.iter().rev().take(HOPS_MAX) {
        let Some(hop) = *hop else { break };
        known = hop;
        if !trusted.has(hop) {
            break;
        }
    }
    known
}

/// Whether the client spoke HTTPS to our own peer, which alone is believed.
fn protocol(headers: &HeaderMap, last: Option<&String>) -> bool {
    let said = headers.get_all(FORWARDED_PROTO).iter().next_back().and_then(|value| value.to_str().ok());
    let said = said.and_then(|value| value.rsplit(',').next()).map(|value| value.trim().to_owned());
    let said = said.or_else(|| pair(last?, "proto"));
    said.is_some_and(|protocol| protocol.eq_ignore_ascii_case("https"))
}

/// The elements of a header that is a list; one line or several are the same. None if it is no text.
fn list(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut elements = Vec::new();
    for value in headers.get_all(name) {
        elements.extend(split(value.to_str().ok()?, ','));
    }
    Some(elements)
}

/// Splits at a sign that does not stand in a quoted string.
fn split(text: &str, sign: char) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == sign && !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The value of a parameter of one element, whose name may be written in any case.
fn pair(element: &str, name: &str) -> Option<String> {
    split(element, ';').iter().find_map(|pair| {
        let (given, value) = pair.split_once('=')?;
        given.trim().eq_ignore_ascii_case(name).then(|| unquoted(value.trim()))
    })
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut escaped = false;
    inner
        .chars()
        .filter(|character| {
            escaped = !escaped && *character == '\\';
            !escaped
        })
        .collect()
}

/// An address with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]:80`.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(peer: &str, given: &[(&'static str, &'static str)]) -> (String, bool) {
        let trusted: TrustedProxies = "10.0.0.0/8, 127.0.0.1 fd00::/8".parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let client = Client::of(peer.parse().unwrap(), &headers, &trusted);
        (client.address.to_string(), client.https)
    }

    fn address_of(peer: &str, given: &[(&'static str, &'static str)]) -> String {
        of(peer, given).0
    }

    #[test]
    fn a_stranger_is_believed_nothing() {
        let lies = [
            ("x-forwarded-for", "203.0.113.9"),
            ("forwarded", "for=203.0.113.9;proto=https"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(of("192.0.2.1:5", &lies), ("192.0.2.1".to_owned(), false));
        assert_eq!(address_of("[::ffff:192.0.2.1]:5", &lies), "192.0.2.1");
    }

    #[test]
    fn behind_a_trusted_proxy_the_rightmost_hop_that_is_none_of_ours_counts() {
        for (hops, client) in [
            ("203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9, 10.1.2.3,127.0.0.1", "203.0.113.9"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            // All are ours: whoever stands at the beginning asked.
            ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
            // Nobody knows who came before what cannot be read.
            ("203.0.113.9, unknown, 10.0.0.8", "10.0.0.8"),
            ("203.0.113.9, nonsense", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(address_of("10.0.0.1:5", &[("x-forwarded-for", hops)]), client, "{hops}");
        }
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(address_of("10.0.0.1:5", &lines), "203.0.113.9", "several lines are one list");
        assert_eq!(address_of("[fd00::1]:5", &[("x-forwarded-for", "203.0.113.9")]), "203.0.113.9");
        assert_eq!(address_of("[::ffff:10.0.0.1]:5", &[("x-forwarded-for", "203.0.113.9")]), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_as_its_standard_writes_it() {
        for (value, client) in [
            ("for=203.0.113.9", ("203.0.113.9", false)),
            ("For=\"[2001:db8::7]:4711\";Proto=HTTPS;by=10.0.0.1", ("2001:db8::7", true)),
            ("for=6.6.6.6, for=203.0.113.9;proto=http", ("203.0.113.9", false)),
            ("for=\"a,for=6.6.6.6\", for=203.0.113.9", ("203.0.113.9", false)),
            ("for=203.0.113.9, for=_hidden", ("10.0.0.1", false)),
            ("for=203.0.113.9, proto=https", ("10.0.0.1", true)),
            ("for=\"203.0.113.9", ("10.0.0.1", false)),
        ] {
            let (address, https) = of("10.0.0.1:5", &[("forwarded", value)]);
            assert_eq!((address.as_str(), https), client, "{value}");
        }
    }

    #[test]
    fn two_headers_that_disagree_are_not_believed() {
        let both = |forwarded| {
            address_of("10.0.0.1:5", &[("x-forwarded-for", "203.0.113.9"), ("forwarded", forwarded)])
        };
        assert_eq!(both("for=203.0.113.9"), "203.0.113.9");
        assert_eq!(both("for=6.6.6.6"), "10.0.0.1");
    }

    #[test]
    fn only_the_last_proxy_says_how_it_was_asked() {
        assert!(of("10.0.0.1:5", &[("x-forwarded-proto", "HTTPS")]).1);
        assert!(of("10.0.0.1:5", &[("x-forwarded-proto", "http, https")]).1);
        assert!(!of("10.0.0.1:5", &[("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")]).1);
    }

    #[test]
    fn networks_that_cannot_be_read_are_named() {
        assert_eq!("".parse::<TrustedProxies>().unwrap(), TrustedProxies::default());
        for text in ["10.0.0.0/33", "proxy", "10.0.0.1:80"] {
            assert!(text.parse::<TrustedProxies>().unwrap_err().contains(text), "{text}");
        }
    }
}
