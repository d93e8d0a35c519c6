use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Writes a new certificate and its key; returns the certificate, which is its own issuer.
fn write(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// What the server says to a client that trusts one certificate.
async fn ask(address: SocketAddr, trusted: &CertificateDer<'static>) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, TcpStream::connect(address).await?).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn serving(folder: &Path) -> SocketAddr {
    let tls = Tls::load(&folder.join("cert.pem"), &folder.join("key.pem")).unwrap();
    let listener = crate::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let https =
        |https: Option<axum::Extension<crate::Https>>| async move { format!("https {}", https.is_some()) };
    let router = Router::new().route("/", get(https));
    tokio::spawn(crate::serve_tls(listener, Some(tls), router, CancellationToken::new()));
    address
}

#[tokio::test]
async fn a_new_certificate_is_served_without_a_restart_and_half_a_pair_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path());
    let address = serving(folder.path()).await;
    assert!(ask(address, &first).await.unwrap().ends_with("https true"));
    // A certificate without its key yet: the pair of before stays.
    let kept = std::fs::read(folder.path().join("key.pem")).unwrap();
    let second = write(folder.path());
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    std::fs::write(folder.path().join("key.pem"), kept).unwrap();
    tokio::time::sleep(RELOAD_INTERVAL * 2).await;
    assert!(ask(address, &first).await.is_ok());
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let taken = async { while ask(address, &second).await.is_err() {} };
    tokio::time::timeout(PATIENCE, taken).await.expect("the new certificate is never served");
    assert!(ask(address, &first).await.is_err());
}

#[tokio::test]
async fn plain_http_is_told_that_tls_is_spoken() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let address = serving(folder.path()).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = client.read_to_string(&mut answer).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400") && body.contains("https://"), "{answer}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
}

#[test]
fn files_that_are_of_no_use_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let message = |certificate: &Path, key: &Path| Tls::load(certificate, key).err().unwrap().to_string();
    assert!(message(&certificate, &key).contains("cert.pem cannot be read: "));
    write(folder.path());
    assert!(message(&certificate, &certificate).contains("cert.pem cannot be read: nothing of the kind"));
    std::fs::write(&certificate, "").unwrap();
    assert!(message(&certificate, &key).contains("cert.pem cannot be read: nothing of the kind"));
    let other = tempfile::tempdir().unwrap();
    write(folder.path());
    write(other.path());
    assert!(message(&certificate, &other.path().join("key.pem")).contains("cannot be used together"));
}
