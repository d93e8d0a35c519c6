use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

const COPY_BYTES: usize = 64 * 1024;

const OPEN: u8 = 0;
const SILENT: u8 = 1;
const BROKEN: u8 = 2;

/// The network between one process and the broker. A broker alone on its machine tells its clients to come to each topic by
/// the address that they know, so nothing goes another way.
pub(super) struct Proxy {
    pub(super) url: String,
    line: Arc<Line>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Line {
    state: AtomicU8,
    changed: Notify,
}

impl Line {
    fn state(&self) -> u8 {
        self.state.load(Ordering::SeqCst)
    }

    /// Waits while nothing goes through. Returns whether the connection is still open.
    async fn passable(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.state() {
                OPEN => return true,
                BROKEN => return false,
                _ => changed.await,
            }
        }
    }

    async fn broken(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.state() == BROKEN {
                return;
            }
            changed.await;
        }
    }
}

impl Proxy {
    /// In front of the broker at `pulsar://HOST:PORT`.
    pub(super) async fn start(broker: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("pulsar://{}", listener.local_addr().unwrap());
        let (line, broker) = (Arc::<Line>::default(), broker.trim_start_matches("pulsar://").to_owned());
        let task = tokio::spawn(accept(listener, broker, Arc::clone(&line)));
        Self { url, line, task }
    }

    /// Drops every packet: nothing goes through, and neither side sees an error.
    pub(super) fn silence(&self) {
        self.turn(SILENT);
    }

    /// Connections are broken off, and new ones too.
    pub(super) fn cut(&self) {
        self.turn(BROKEN);
    }

    pub(super) fn mend(&self) {
        self.turn(OPEN);
    }

    fn turn(&self, state: u8) {
        self.line.state.store(state, Ordering::SeqCst);
        self.line.changed.notify_waiters();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, broker: String, line: Arc<Line>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (broker, line) = (broker.clone(), Arc::clone(&line));
        connections.spawn(async move {
            if line.state() == BROKEN {
                return;
            }
            let server = TcpStream::connect(broker).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = pass(from_client, to_server, &line) => {}
                () = pass(from_server, to_client, &line) => {}
                () = line.broken() => {}
            }
        });
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line) {
    let mut bytes = vec![0; COPY_BYTES];
    while let Ok(count) = from.read(&mut bytes).await
        && count > 0
        && line.passable().await
        && to.write_all(&bytes[..count]).await.is_ok()
    {}
}
