use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use crate::{Authenticator, TokenUse};

/// How soon the first use of a token is told; later ones are told once a minute.
const TICK: Duration = Duration::from_secs(2);
/// Uses in one report.
const REPORT_USES_MAX: usize = 1_000;
/// Uses that are kept while the authority cannot be told; more are forgotten, the oldest first.
const UNTOLD_MAX: usize = 50_000;
/// How long the last report may delay a shutdown.
const LAST_REPORT_TIMEOUT: Duration = Duration::from_secs(2);

impl Authenticator {
    /// Tells the authority of uses until `shutdown`, away from the requests that they belong to.
    pub(crate) async fn report_uses(self, shutdown: CancellationToken) {
        let mut untold = Vec::new();
        while shutdown.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
            self.report(&mut untold, false).await;
        }
        let _ = tokio::time::timeout(LAST_REPORT_TIMEOUT, self.report(&mut untold, true)).await;
    }

    /// Tells what is due, and keeps in `untold` what could not be told.
    pub(crate) async fn report(&self, untold: &mut Vec<TokenUse>, all: bool) {
        untold.extend(self.uses().due(Utc::now(), all));
        while !untold.is_empty() {
            let some = untold.len().min(REPORT_USES_MAX);
            if let Err(error) = self.authority().note_uses(&untold[..some]).await {
                tracing::debug!(%error, "uses of tokens are told later");
                let forgotten = untold.len().saturating_sub(UNTOLD_MAX);
                metrics::counter!("daybook_token_uses_forgotten_total").increment(forgotten as u64);
                untold.drain(..forgotten);
                return;
            }
            untold.drain(..some);
        }
    }
}
