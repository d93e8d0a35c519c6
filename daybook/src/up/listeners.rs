use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use chassis::ServeError;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::folder::{Addresses, DataFolder};

/// Where metrics are read by default.
const METRICS_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9100);

/// The public door's listener, and that of the metrics.
pub(crate) struct Listeners {
    pub(crate) door: TcpListener,
    pub(crate) metrics: TcpListener,
}

impl Listeners {
    /// Opens both. The metrics' default address is replaced by a free one if it is taken; what was asked for is not.
    ///
    /// # Errors
    /// [`Failure::Missing`] for an address that is taken, with what to do about it.
    pub(crate) async fn open(
        folder: &DataFolder,
        listen: SocketAddr,
        metrics: Option<SocketAddr>,
    ) -> Result<Self, Failure> {
        let door = chassis::bind(listen).await.map_err(|error| taken(error, folder, "--listen"))?;
        let metrics = match (metrics, chassis::bind(metrics.unwrap_or(METRICS_DEFAULT)).await) {
            (None, Err(ServeError::Taken { .. })) => chassis::bind((Ipv4Addr::LOCALHOST, 0).into()).await,
            (_, bound) => bound,
        };
        Ok(Self { door, metrics: metrics.map_err(|error| taken(error, folder, "--metrics-listen"))? })
    }

    /// Where the door, which may speak HTTPS, and the metrics are reached.
    ///
    /// # Errors
    /// If the operating system does not know it.
    pub(crate) fn urls(&self, https: bool) -> Result<(String, String), Failure> {
        Ok((url(&self.door, https)?, format!("{}/metrics", url(&self.metrics, false)?)))
    }
}

/// Names who has the address, if it is a daybook on the same data.
fn taken(error: ServeError, folder: &DataFolder, option: &str) -> Failure {
    let running = Addresses::of_running(folder).ok().flatten();
    match (error, running) {
        (ServeError::Taken { address }, Some(Addresses { pid, url: Some(url), .. })) => {
            Failure::Missing(format!(
                "{address} is taken, and a daybook is running in {} already (pid {pid}): {url}",
                folder.path().display()
            ))
        }
        (ServeError::Taken { address }, _) => Failure::Missing(format!(
            "{address} is taken by another program; choose another address with {option}, or port 0 for any free one"
        )),
        (other, _) => other.into(),
    }
}

/// A listener's URL as this machine reaches it.
pub(crate) fn url(listener: &TcpListener, https: bool) -> Result<String, Failure> {
    let address = listener.local_addr().map_err(Failure::io("cannot find out where we listen"))?;
    let scheme = if https { "https" } else { "http" };
    Ok(format!("{scheme}://{}", reachable(address)))
}

/// The address itself, or the loopback one if it stands for all.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_stands_for_all_is_shown_as_one_that_can_be_opened() {
        let shown = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(shown("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(shown("[::]:8080"), "[::1]:8080");
        assert_eq!(shown("192.0.2.7:80"), "192.0.2.7:80");
    }

    #[tokio::test]
    async fn a_taken_address_is_named_with_the_option_to_change_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path());
        let free = (Ipv4Addr::LOCALHOST, 0).into();
        let first = Listeners::open(&folder, free, Some(free)).await.unwrap();
        let address = first.door.local_addr().unwrap();
        let failure = Listeners::open(&folder, address, Some(free)).await.err().unwrap().to_string();
        assert!(failure.starts_with(&format!("{address} is taken by another program")), "{failure}");
        assert!(failure.contains("--listen"), "{failure}");
        let failure = Listeners::open(&folder, free, Some(address)).await.err().unwrap().to_string();
        assert!(failure.contains("--metrics-listen"), "{failure}");
    }
}
