use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const FORWARD: u8 = 0;
const SWALLOW: u8 = 1;
const REFUSE: u8 = 2;
/// `ReadyForQuery` but for its last byte, the state of the transaction.
const READY: &[u8] = b"Z\0\0\0\x05";
const READY_BYTES: usize = READY.len() + 1;

/// A network between an appender and its database that can fail on request.
pub(super) struct Proxy {
    port: u16,
    target: Arc<std::sync::Mutex<Option<(String, u16)>>>,
    gate: Gate,
    cut: watch::Sender<u32>,
}

impl Proxy {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(std::sync::Mutex::new(None::<(String, u16)>));
        let gate = Gate { mode: Arc::new(AtomicU8::new(FORWARD)), passing: Arc::default() };
        let cut = watch::Sender::new(0);
        let proxy = Self { port, target: Arc::clone(&target), gate: gate.clone(), cut: cut.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if gate.mode.load(Ordering::SeqCst) == REFUSE {
                    continue;
                }
                let target = target.lock().unwrap().clone().unwrap();
                tokio::spawn(forward(client, target, gate.clone(), cut.subscribe()));
            }
        });
        proxy
    }

    /// The same database, by way of this proxy.
    pub(super) fn in_front_of(&self, options: PgConnectOptions) -> PgConnectOptions {
        *self.target.lock().unwrap() = Some((options.get_host().to_owned(), options.get_port()));
        options.host("127.0.0.1").port(self.port)
    }

    /// Lets requests through and loses the answers, but for the first few.
    pub(super) fn swallow_answers_after(&self, passing: u8) {
        self.gate.passing.store(passing, Ordering::SeqCst);
        self.gate.mode.store(SWALLOW, Ordering::SeqCst);
    }

    /// Closes every connection and takes no new one.
    pub(super) fn refuse(&self) {
        self.gate.mode.store(REFUSE, Ordering::SeqCst);
        self.cut.send_modify(|count| *count += 1);
    }

    /// Closes every connection; new ones work.
    pub(super) fn cut_and_heal(&self) {
        self.gate.mode.store(FORWARD, Ordering::SeqCst);
        self.cut.send_modify(|count| *count += 1);
    }
}

/// Which answers pass.
#[derive(Clone)]
struct Gate {
    mode: Arc<AtomicU8>,
    passing: Arc<AtomicU8>,
}

impl Gate {
    /// An answer may come in pieces; what ends it is that the server is ready for the next request.
    fn lets_through(&self, piece: &[u8]) -> bool {
        if self.mode.load(Ordering::SeqCst) == FORWARD {
            return true;
        }
        let passing = self.passing.load(Ordering::SeqCst);
        if passing > 0 && piece.rchunks(READY_BYTES).next().is_some_and(|end| end.starts_with(READY)) {
            self.passing.store(passing - 1, Ordering::SeqCst);
        }
        passing > 0
    }
}

async fn forward(client: TcpStream, target: (String, u16), gate: Gate, mut cut: watch::Receiver<u32>) {
    let server = TcpStream::connect(target).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = tokio::io::copy(&mut from_client, &mut to_server);
    let answers = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from_server.read(&mut buffer).await.unwrap_or(0);
            if length == 0 {
                return;
            }
            if gate.lets_through(&buffer[..length]) && to_client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = requests => {}
        () = answers => {}
        _ = cut.changed() => {}
    }
}
