use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

use crate::installation::wait;
use crate::{Error, Installation, Interrupted, http};

const SETTINGS: &str = include_str!("../standalone.conf");
const LOGGING: &str = include_str!("../log4j2.xml");
const READY_LIMIT: Duration = Duration::from_mins(2);
/// What a broker may take to stop when asked to; then it is killed.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(30);
/// What Java must let the broker see of itself.
const OPENED: [&str; 10] = [
    "java.base/jdk.internal.loader",
    "java.base/java.lang",
    "java.base/java.util.zip",
    "java.base/java.nio",
    "java.base/jdk.internal.misc",
    "java.base/sun.net",
    "java.base/jdk.internal.platform",
    "java.base/java.io",
    "java.management/sun.management",
    "jdk.management/com.sun.management.internal",
];

/// Where a broker listens, and what it keeps.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// For clients; 0 takes any free port.
    pub port: u16,
    /// For administration and health; 0 takes any free port.
    pub web_port: u16,
    /// What it keeps; without it, a folder that is removed with the broker.
    pub dir: Option<PathBuf>,
    /// Nobody gets in without a token, and TLS is spoken on two more ports.
    pub security: Option<Security>,
}

/// How a broker knows who comes, and how it shows who it is.
#[derive(Clone, Debug)]
pub struct Security {
    /// Its certificate for 127.0.0.1, in PEM.
    pub certificate: String,
    /// The certificate's private key, in PEM (PKCS #8).
    pub key: String,
    /// By which tokens are signed (HS256), in base64.
    pub token_secret: String,
    /// A token whose subject is `admin`: the broker's own, which may do everything.
    pub token: String,
}

/// A running broker. Dropping it stops it.
#[derive(Debug)]
pub struct Broker {
    installation: Installation,
    child: Child,
    dir: PathBuf,
    is_temporary: bool,
    ports: Ports,
    security: Option<Security>,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    broker: u16,
    web: u16,
    broker_tls: u16,
    web_tls: u16,
    /// The bookie's name holds its port, and by its name it knows its own folder again.
    bookie: u16,
}

impl Broker {
    /// Starts a broker and waits until it is healthy.
    ///
    /// # Errors
    /// [`Error`], which says what to do.
    pub fn start(
        installation: &Installation,
        options: Options,
        interrupted: Interrupted<'_>,
    ) -> Result<Self, Error> {
        let is_temporary = options.dir.is_none();
        let dir = options.dir.unwrap_or_else(temporary);
        fs::create_dir_all(&dir).map_err(Error::io("make", &dir))?;
        let dir = fs::canonicalize(&dir).map_err(Error::io("find", &dir))?;
        let free = |wanted| free_port(wanted).map_err(Error::io("find a free port for", &dir));
        let ports = Ports {
            broker: free(options.port)?,
            web: free(options.web_port)?,
            broker_tls: free(0)?,
            web_tls: free(0)?,
            bookie: free(kept_port(&dir))?,
        };
        let security = options.security;
        let child = launch(installation, &dir, ports, security.as_ref())?;
        let mut broker =
            Self { installation: installation.clone(), child, dir, is_temporary, ports, security };
        broker.wait_until_healthy(interrupted)?;
        Ok(broker)
    }

    /// For clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("pulsar://127.0.0.1:{}", self.ports.broker)
    }

    /// For administration.
    #[must_use]
    pub fn web_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.web)
    }

    /// For clients, over TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("pulsar+ssl://127.0.0.1:{}", self.ports.broker_tls)
    }

    /// For administration, over TLS.
    #[must_use]
    pub fn web_tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.web_tls)
    }

    /// What it keeps and writes.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its process' number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether its process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Suspends its process, so that connections stay open and get no response.
    pub fn freeze(&self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::STOP);
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::CONT);
    }

    /// Lets it write nothing any more, as on a disk that is full, until it is started again.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn fill_disk(&self) -> Result<(), Error> {
        let nothing = Rlimit { current: Some(0), maximum: Some(0) };
        // The kernel refuses what would make a file longer than that; Java sees a write that failed.
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, nothing)
            .map(|_| ())
            .map_err(|error| Error::io("limit the files in", &self.dir)(error.into()))
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }

    /// Starts it again on the same ports after [`Self::kill`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn restart(&mut self, interrupted: Interrupted<'_>) -> Result<(), Error> {
        self.kill();
        self.child = launch(&self.installation, &self.dir, self.ports, self.security.as_ref())?;
        self.wait_until_healthy(interrupted)
    }

    /// Forgets everything, as if the broker's disk had been replaced. After [`Self::kill`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn wipe(&self) -> Result<(), Error> {
        let data = self.dir.join("data");
        fs::remove_dir_all(&data).map_err(Error::io("empty", &data))
    }

    fn wait_until_healthy(&mut self, interrupted: Interrupted<'_>) -> Result<(), Error> {
        let log = self.dir.join("broker.log");
        let (child, web) = (&mut self.child, self.ports.web);
        let token = self.security.as_ref().map(|security| security.token.as_str());
        wait("starting Pulsar", READY_LIMIT, interrupted, || {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(Error::NotReady { reason: status.to_string(), log: log.clone() });
            }
            Ok(http::get(web, "/admin/v2/brokers/health", token).is_ok_and(|(status, _)| status == 200)
                && http::get(web, "/admin/v2/namespaces/public/default", token)
                    .is_ok_and(|(status, _)| status == 200))
        })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        let began = Instant::now();
        if !self.is_temporary {
            // What it keeps is wanted again, so it may close its books.
            let _ = kill_process_group(group, Signal::TERM);
            while began.elapsed() < GRACE && matches!(self.child.try_wait(), Ok(None)) {
                thread::sleep(POLL);
            }
        }
        self.kill();
        if self.is_temporary
            && let Err(error) = fs::remove_dir_all(&self.dir)
        {
            eprintln!("cannot remove {}: {error}", self.dir.display());
        }
    }
}

fn launch(
    installation: &Installation,
    dir: &Path,
    ports: Ports,
    security: Option<&Security>,
) -> Result<Child, Error> {
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).map_err(Error::io("write", &path))
    };
    let (broker, web) = (ports.broker, ports.web);
    let listening = format!("brokerServicePort={broker}\nwebServicePort={web}\n");
    let mut secured = String::new();
    if let Some(security) = security {
        write("certificate.pem", &security.certificate)?;
        write("key.pem", &security.key)?;
        secured = secured_settings(ports, security);
    }
    write("standalone.conf", &format!("{SETTINGS}{listening}{secured}"))?;
    write("log4j2.xml", LOGGING)?;
    write("bookie.port", &ports.bookie.to_string())?;
    let log = dir.join("broker.log");
    let out = File::options().create(true).append(true).open(&log).map_err(Error::io("write", &log))?;
    let errors = out.try_clone().map_err(Error::io("write", &log))?;
    let mut command = Command::new("java");
    command.current_dir(dir).stdin(Stdio::null()).stdout(out).stderr(errors).process_group(0);
    command.args(["-Xms64m", "-Xmx512m", "-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC", "-Xshare:auto"]);
    command.args(["-XX:+ExitOnOutOfMemoryError", "-Dio.netty.tryReflectionSetAccessible=true"]);
    command.args(["-Dlog4j2.configurationFile=log4j2.xml", "-Dio.netty.leakDetection.level=disabled"]);
    command
        .args(OPENED.iter().flat_map(|module| ["--add-opens".to_owned(), format!("{module}=ALL-UNNAMED")]));
    command.args(["-cp", &installation.jars(), "org.apache.pulsar.PulsarStandaloneStarter"]);
    command.args([
        "--config",
        "standalone.conf",
        "-nss",
        "-nfw",
        "--bookkeeper-port",
        &ports.bookie.to_string(),
    ]);
    command.spawn().map_err(|_| Error::Missing { program: "java", package: "openjdk-17-jre-headless" })
}

fn secured_settings(ports: Ports, security: &Security) -> String {
    let Security { token_secret, token, .. } = security;
    let (broker, web) = (ports.broker_tls, ports.web_tls);
    format!(
        "brokerServicePortTls={broker}\nwebServicePortTls={web}\n\
         tlsCertificateFilePath=certificate.pem\ntlsKeyFilePath=key.pem\n\
         authenticationEnabled=true\nauthorizationEnabled=true\nsuperUserRoles=admin\n\
         authenticationProviders=org.apache.pulsar.broker.authentication.AuthenticationProviderToken\n\
         tokenSecretKey=data:;base64,{token_secret}\n\
         brokerClientAuthenticationPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken\n\
         brokerClientAuthenticationParameters=token:{token}\n"
    )
}

/// `wanted`, or any free port for 0. Nobody else takes it in between, unless unlucky.
fn free_port(wanted: u16) -> std::io::Result<u16> {
    if wanted != 0 {
        return Ok(wanted);
    }
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn kept_port(dir: &Path) -> u16 {
    let kept = fs::read_to_string(dir.join("bookie.port")).ok();
    kept.and_then(|port| port.trim().parse().ok()).unwrap_or(0)
}

fn temporary() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("daybook-pulsar-{}-{number}", std::process::id()))
}
