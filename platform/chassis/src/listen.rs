use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// Where to listen, as people write it: `8080` or `localhost:8080` for this machine alone, `:8080` or `*:8080` for every
/// address, or an address or a host with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

/// A text that names no place to listen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListen {
    /// It has no port, or one that is no number up to 65535.
    #[error(
        "must be a port such as 8080 (this machine alone) or :8080 (every address), or an address with a port such as \
         127.0.0.1:8080, [::1]:8080 or localhost:8080"
    )]
    Shape,
    /// Its host has no address.
    #[error("no address is known for the host {0}")]
    Host(String),
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("localhost", text));
        let port = port.parse::<u16>().map_err(|_| InvalidListen::Shape)?;
        let ip = match host {
            "" | "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ if host.contains([':', '[', ']', '/']) => return Err(InvalidListen::Shape),
            _ => {
                let unknown = || InvalidListen::Host(host.to_owned());
                let addresses: Vec<_> = (host, port).to_socket_addrs().map_err(|_| unknown())?.collect();
                let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
                first.ok_or_else(unknown)?.ip()
            }
        };
        Ok(Self(SocketAddr::new(ip, port)))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_is_taken_as_people_write_it() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("8080", "127.0.0.1:8080"),
            (" 0 ", "127.0.0.1:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            (":8080", "0.0.0.0:8080"),
            ("*:8080", "0.0.0.0:8080"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), address, "{text}");
        }
    }

    #[test]
    fn what_names_no_port_is_told_what_would() {
        for text in [
            "",
            "somewhere",
            "localhost",
            "127.0.0.1",
            "::1",
            "localhost:",
            "localhost:http",
            "127.0.0.1:65536",
            "http://localhost:8080",
        ] {
            let error = text.parse::<Listen>().unwrap_err();
            assert!(error.to_string().contains("such as 8080"), "{text}: {error}");
        }
        let error = "no-such-host.invalid:8080".parse::<Listen>().unwrap_err();
        assert_eq!(error.to_string(), "no address is known for the host no-such-host.invalid");
    }
}
