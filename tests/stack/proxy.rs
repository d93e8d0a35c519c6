//! The gateway behind a real nginx, configured as the documentation says, and with TLS of its own.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::support::{Answer, PASSWORD, Program, Stack, eventually, http, send};

const PAGE: &str = include_str!("../../docs/proxy.md");
/// Where the clients of the proxy are: not where the proxy itself is, which is trusted.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OTHER_CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const ATTEMPTS_MAX: usize = 3;

/// A certificate for 127.0.0.1 and its key, in a folder.
struct Certificate {
    dir: TempDir,
    pem: String,
}

impl Certificate {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { dir, pem: made.cert.pem() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A client with cookies that trusts it, at an address of this machine.
    fn client(&self, address: Ipv4Addr) -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let trusted = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let client = reqwest::Client::builder().cookie_store(true).tls_certs_only([trusted]);
        client.local_address(IpAddr::V4(address)).build().unwrap()
    }
}

/// An nginx with the block of the documentation, before a gateway.
struct Nginx {
    program: Program,
    url: String,
    certificate: Certificate,
}

impl Nginx {
    async fn start(gateway_url: &str) -> Self {
        let key = "DAYBOOK_TEST_NGINX";
        let nginx = std::env::var_os(key).unwrap_or_else(|| {
            panic!("{key} is not set; `cargo xtask test` installs nginx and says where it is")
        });
        let certificate = Certificate::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = certificate.dir.path().to_owned();
        std::fs::write(dir.join("nginx.conf"), configuration(&dir, gateway_url, port)).unwrap();
        let mut command = Command::new(nginx);
        command.arg("-p").arg(&dir).args(["-e", "stderr", "-c", "nginx.conf"]);
        command.args(["-g", "daemon off; master_process off;"]);
        let mut program = Program::start(&mut command, &dir, "nginx");
        eventually("nginx listens", || {
            assert!(program.ended().is_none(), "it ended: {}", program.err());
            async move { TcpStream::connect(("127.0.0.1", port)).await.ok() }
        })
        .await;
        Self { program, url: format!("https://127.0.0.1:{port}"), certificate }
    }
}

/// The page's block with this machine's places in it, and around it what a package brings.
fn configuration(dir: &Path, gateway_url: &str, port: u16) -> String {
    let block = PAGE.split("```nginx\n").nth(1).unwrap().split("```").next().unwrap();
    let mut block = block.to_owned();
    let certificates = dir.to_str().unwrap();
    for (written, here) in [
        ("127.0.0.1:8080", gateway_url.strip_prefix("http://").unwrap()),
        ("listen 443", &format!("listen 127.0.0.1:{port}")),
        ("/etc/ssl/daybook", certificates),
    ] {
        assert!(block.contains(written), "the page does not say {written}");
        block = block.replace(written, here);
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {certificates}/{kind};\n"))
        .concat();
    format!("pid nginx.pid;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}{block}}}\n")
}

async fn sign_up(client: &reqwest::Client, url: &str) -> (String, Answer) {
    let email = format!("{}@example.com", Uuid::now_v7());
    let body = json!({"name": "Ledger & Co", "email": email, "password": PASSWORD, "time_zone": "UTC"});
    // What a client says about itself is no more than a claim.
    let request = client.post(format!("{url}/v1/customers")).json(&body);
    let request = request.header("x-forwarded-for", "6.6.6.6").header("forwarded", "for=6.6.6.6;proto=http");
    (email, send(request).await)
}

async fn get(client: &reqwest::Client, url: &str) -> Answer {
    send(client.get(url)).await
}

#[tokio::test]
async fn behind_nginx_every_client_has_its_own_address() {
    let attempts = ATTEMPTS_MAX.to_string();
    let stack = Stack::start_with(
        &[],
        &[
            ("DAYBOOK_GATEWAY_TRUSTED_PROXIES", "127.0.0.1"),
            ("DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX", attempts.as_str()),
        ],
    );
    let nginx = Nginx::start(&stack.url).await;
    let client = nginx.certificate.client(CLIENT);
    let (email, signed_up) = sign_up(&client, &nginx.url).await;
    assert_eq!(signed_up.status, 201, "{}", signed_up.text);
    assert!(signed_up.header("set-cookie").ends_with("; Secure"), "{}", signed_up.header("set-cookie"));
    let sessions: Value = get(&client, &format!("{}/v1/sessions", nginx.url)).await.json(200);
    assert_eq!(sessions["items"][0]["address"], CLIENT.to_string(), "{sessions}");

    // One who guesses passwords shuts out himself and nobody else.
    let log_in = async |client: &reqwest::Client, password: &str| {
        let body = json!({"email": email, "password": password});
        send(client.post(format!("{}/v1/session", nginx.url)).json(&body)).await.status
    };
    let (guesser, other) = (nginx.certificate.client(CLIENT), nginx.certificate.client(OTHER_CLIENT));
    for _ in 0..ATTEMPTS_MAX {
        let body =
            json!({"email": format!("{}@example.com", Uuid::now_v7()), "password": "a wrong password"});
        let refused = send(guesser.post(format!("{}/v1/session", nginx.url)).json(&body)).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
    }
    assert_eq!(log_in(&guesser, PASSWORD).await, 429);
    assert_eq!(log_in(&other, PASSWORD).await, 200);
    drop(nginx.program);
}

#[tokio::test]
async fn two_instances_of_one_host_keep_their_sessions_apart_and_one_has_tls() {
    let certificate = Certificate::new();
    let (cert, key) = (certificate.path("cert.pem"), certificate.path("key.pem"));
    let arguments = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let (plain, secure) = (Stack::start(), Stack::start_with(&arguments, &[]));
    assert!(secure.url.starts_with("https://"), "{}", secure.url);
    // One browser: cookies know no ports.
    let browser = certificate.client(Ipv4Addr::LOCALHOST);
    let (_, first) = sign_up(&browser, &plain.url).await;
    assert!(!first.header("set-cookie").contains("Secure"), "{}", first.header("set-cookie"));
    let (_, second) = sign_up(&browser, &secure.url).await;
    assert!(second.header("set-cookie").ends_with("; Secure"), "{}", second.header("set-cookie"));
    for stack in [&plain, &secure] {
        let session = get(&browser, &format!("{}/v1/session", stack.url)).await;
        assert_eq!(session.status, 200, "{}: {}", stack.url, session.text);
    }
    // What another application on the host has set hides nothing.
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    let among_others = ["name=Zoë; ".as_bytes(), cookie.as_bytes(), b"; x=\xff"].concat();
    let cookies = reqwest::header::HeaderValue::from_bytes(&among_others).unwrap();
    for path in ["/v1/session", "/v1/activities", "/v1/sessions"] {
        let request = http().get(format!("{}{path}", plain.url)).header("cookie", cookies.clone());
        let answer = send(request).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
}
