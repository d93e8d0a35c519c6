//! Which port the server listens on.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use crate::Error;
use crate::home::Home;

/// Chooses a port as [`crate::Options::port`] says. Another program may take it before the server does.
pub(crate) fn choose(wanted: Option<u16>, home: &Home) -> Result<u16, Error> {
    match wanted {
        Some(0) => any(),
        Some(port) if is_free(port) => Ok(port),
        Some(port) => Err(Error::PortTaken(port)),
        None => match recorded(home) {
            Some(port) if is_free(port) => Ok(port),
            _ => any(),
        },
    }
}

/// Whether another port than `wanted` would do as well.
pub(crate) fn is_replaceable(wanted: Option<u16>) -> bool {
    matches!(wanted, None | Some(0))
}

/// The port of the last time.
fn recorded(home: &Home) -> Option<u16> {
    fs::read_to_string(home.port()).ok()?.trim().parse().ok().filter(|port| *port != 0)
}

/// Remembers the port for the next time.
pub(crate) fn record(home: &Home, port: u16) -> Result<(), Error> {
    let path = home.port();
    fs::write(&path, format!("{port}\n")).map_err(Error::io("cannot write", &path))?;
    crate::owner::share(&path, home.dir())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn any() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("cannot find a free port on", "127.0.0.1".as_ref()))
}
