use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);
/// What a client gets that speaks plain HTTP where TLS is spoken.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
content-length: 44\r\n\r\nThis port speaks HTTPS: begin with https://\n";

/// A certificate with its key, from two PEM files that may change.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    acceptor: RwLock<TlsAcceptor>,
    /// What the files looked like that `acceptor` was made of.
    loaded: RwLock<Stamp>,
}

/// By which a replaced file is noticed.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why, to follow a colon.
        reason: String,
    },
    /// Certificate and key are no pair, or of no use.
    #[error("{certificate} and {key} cannot be used together: {reason}")]
    Unusable {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
        /// Why, to follow a colon.
        reason: String,
    },
}

impl Tls {
    /// Reads a certificate, which may be followed by those of its issuers, and its private key, both as PEM.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamp = stamp(certificate, key);
        let acceptor = acceptor(certificate, key)?;
        Ok(Self(Arc::new(Inner {
            certificate: certificate.to_path_buf(),
            key: key.to_path_buf(),
            acceptor: RwLock::new(acceptor),
            loaded: RwLock::new(stamp),
        })))
    }

    /// Shakes hands with a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.0.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut first = [0];
        // No TLS begins with a letter, and every request of plain HTTP does.
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
            let mut stream = stream;
            stream.write_all(PLAIN_HTTP).await?;
            stream.shutdown().await?;
            return Err(io::Error::other("plain HTTP"));
        }
        acceptor.accept(stream).await
    }

    /// Reads the files again whenever they have changed, until `shutdown`. What cannot be used is logged, and the last
    /// certificate that could be is kept.
    pub(crate) async fn follow(self, shutdown: CancellationToken) {
        let mut refused: Option<Stamp> = None;
        while tokio::time::timeout(RELOAD_INTERVAL, shutdown.cancelled()).await.is_err() {
            let inner = &*self.0;
            let now = stamp(&inner.certificate, &inner.key);
            if now == *inner.loaded.read().unwrap_or_else(PoisonError::into_inner) || refused == Some(now) {
                continue;
            }
            match acceptor(&inner.certificate, &inner.key) {
                Ok(acceptor) => {
                    *inner.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
                    *inner.loaded.write().unwrap_or_else(PoisonError::into_inner) = now;
                    refused = None;
                    tracing::info!("the certificate has been read again");
                }
                Err(error) => {
                    tracing::error!(%error, "the new certificate is not used; the one before stays");
                    refused = Some(now);
                }
            }
        }
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let unreadable = |path: &Path, error: &pem::Error| TlsError::Unreadable {
        path: path.display().to_string(),
        reason: match error {
            pem::Error::Io(error) => error.to_string(),
            pem::Error::NoItemsFound => "nothing of the kind that is needed is in it".to_owned(),
            other => other.to_string(),
        },
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .and_then(|all: Vec<_>| if all.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(all) })
        .map_err(|error| unreadable(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    let unusable = |error: rustls::Error| TlsError::Unusable {
        certificate: certificate.display().to_string(),
        key: key.display().to_string(),
        reason: error.to_string(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests;
