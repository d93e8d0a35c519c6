use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use crate::{Authenticator, TokenUse};

/// How soon the first use of a token is reported; later ones are reported once a minute.
const INTERVAL: Duration = Duration::from_secs(2);
/// The most uses in one report.
const REPORT_USES_MAX: usize = 1_000;
/// The most uses that are kept while the authority cannot be reached; the oldest are dropped first.
const UNREPORTED_MAX: usize = 50_000;
/// How long the last report may delay a shutdown.
const LAST_REPORT_TIMEOUT: Duration = Duration::from_secs(2);

impl Authenticator {
    /// Reports uses to the authority until `shutdown`, so that no request has to.
    pub(crate) async fn report_uses(self, shutdown: CancellationToken) {
        let mut unreported = Vec::new();
        while shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
            self.report(&mut unreported, false).await;
        }
        let _ = tokio::time::timeout(LAST_REPORT_TIMEOUT, self.report(&mut unreported, true)).await;
    }

    /// Reports what is due, and keeps in `unreported` what the authority did not take.
    pub(crate) async fn report(&self, unreported: &mut Vec<TokenUse>, all: bool) {
        unreported.extend(self.uses().due(Utc::now(), all));
        while !unreported.is_empty() {
            let some = unreported.len().min(REPORT_USES_MAX);
            if let Err(error) = self.authority().note_uses(&unreported[..some]).await {
                tracing::debug!(%error, "uses of tokens are reported later");
                let dropped = unreported.len().saturating_sub(UNREPORTED_MAX);
                metrics::counter!("daybook_token_uses_forgotten_total").increment(dropped as u64);
                unreported.drain(..dropped);
                return;
            }
            unreported.drain(..some);
        }
    }
}
