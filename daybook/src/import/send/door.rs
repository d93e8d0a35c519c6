use chassis::{Problem, with_causes};
use http::StatusCode;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::mpsc;
use url::Url;

use super::answer::Answer;
use crate::failure::Failure;

const PATH: &str = "/v1/activities/stream";
/// The longest line of an answer, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Where activities are recorded, and as whom.
#[derive(Clone)]
pub(crate) struct Door {
    client: reqwest::Client,
    url: Url,
    token: String,
}

impl Door {
    pub(crate) fn new(url: &str, token: String) -> Result<Self, Failure> {
        let wrong = |reason: &dyn std::fmt::Display| Failure::Usage(format!("{url} is no address: {reason}"));
        let parsed: Url = url.parse().map_err(|error| wrong(&error))?;
        if !["http", "https"].contains(&parsed.scheme()) {
            return Err(wrong(&"it begins with http:// or https://"));
        }
        let base = parsed.path().trim_end_matches('/').to_owned();
        let mut target = parsed;
        target.set_path(&format!("{base}{PATH}"));
        // Another part of the program may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().http1_only().redirect(reqwest::redirect::Policy::none());
        // Reading the machine's certificates takes long.
        let client = if target.scheme() == "http" { client.tls_certs_only([]) } else { client };
        let client = client.build().map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Self { client, url: target, token })
    }

    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Sends a body, and each line of the answer to `answers`.
    pub(super) async fn stream(self, body: reqwest::Body, answers: mpsc::Sender<Answer>) {
        let request = self.client.post(self.url).bearer_auth(self.token);
        let sent = request.header(CONTENT_TYPE, "application/x-ndjson").body(body).send().await;
        let last = match sent {
            Err(error) => Answer::Broken(with_causes(&error)),
            Ok(response) if response.status() != StatusCode::OK => refused(response).await,
            Ok(response) => Answer::Broken(lines(response, &answers).await),
        };
        // Whoever has gone needs no answer.
        let _ = answers.send(last).await;
    }
}

async fn refused(response: reqwest::Response) -> Answer {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    let problem = serde_json::from_str(&text);
    Answer::Refused(problem.unwrap_or_else(|_| Problem::new(status, "unexpected-answer")))
}

/// Reads the answer to its end, and returns why that is no good end.
async fn lines(mut response: reqwest::Response, answers: &mpsc::Sender<Answer>) -> String {
    let mut text = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => return "the answer ended without a summary".to_owned(),
            Err(error) => return with_causes(&error),
        }
        let Some(end) = memchr::memrchr(b'\n', &text) else {
            if text.len() > LINE_BYTES_MAX {
                return "the answer is none of Daybook's".to_owned();
            }
            continue;
        };
        for line in text[..end].split(|byte| *byte == b'\n') {
            let Ok(answer) = serde_json::from_slice(line) else {
                return format!("the answer has {}", String::from_utf8_lossy(line));
            };
            if answers.send(answer).await.is_err() {
                return String::new();
            }
        }
        text.drain(..=end);
    }
}
