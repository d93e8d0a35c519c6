use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// A stream over a connection of its own, sent and read by hand.
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    pub(crate) read: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(url: &str, token: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /v1/activities/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        Self { socket, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        self.socket.write_all(chunk.as_bytes()).await.unwrap();
    }

    /// Reads until there is such a line in the answer, and returns it.
    pub(crate) async fn line(&mut self, kind: &str) -> Value {
        let reading = async {
            loop {
                let text = String::from_utf8_lossy(&self.read).into_owned();
                // What is no JSON is the head, or the size of a chunk.
                let mut values = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                if let Some(found) = values.rfind(|value| value["kind"] == kind) {
                    self.read.clear();
                    return found;
                }
                assert!(
                    self.socket.read_buf(&mut self.read).await.unwrap() > 0,
                    "it ended without {kind}: {text}"
                );
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap()
    }
}
