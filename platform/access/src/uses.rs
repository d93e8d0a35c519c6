use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use domain::TokenId;
use serde::{Deserialize, Serialize};

/// A token is reported at most this often, in milliseconds.
const REPORT_INTERVAL_MS: i64 = 60_000;
/// The most addresses in one report of a token; uses from further addresses are reported without one.
const ADDRESSES_MAX: usize = 16;

/// The uses of a token from one address between two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUse {
    /// The token.
    pub token_id: TokenId,
    /// The client's address as the gateway saw it, if the gateway said.
    pub address: Option<IpAddr>,
    /// The first use since the last report.
    pub first_used_at: DateTime<Utc>,
    /// The last use.
    pub last_used_at: DateTime<Utc>,
}

/// The uses of one token that are not reported yet.
#[derive(Debug)]
pub(crate) struct TokenUses {
    token_id: TokenId,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spans: Vec<Span>,
    reported_ms: Option<i64>,
}

#[derive(Debug)]
struct Span {
    address: Option<IpAddr>,
    first_ms: i64,
    last_ms: i64,
}

impl TokenUses {
    pub(crate) fn new(token_id: TokenId) -> Self {
        Self { token_id, state: Mutex::default() }
    }
}

/// The tokens with uses to report. A request takes a short lock of its own token, and the list's lock only for the first
/// use after a report.
#[derive(Debug, Default)]
pub(crate) struct UnreportedUses(Mutex<Vec<Arc<TokenUses>>>);

impl UnreportedUses {
    pub(crate) fn record(&self, token: &Arc<TokenUses>, address: Option<IpAddr>, now: DateTime<Utc>) {
        let now_ms = now.timestamp_millis();
        let mut state = token.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = state.spans.is_empty();
        let is_known = state.spans.iter().any(|span| span.address == address);
        let address = address.filter(|_| is_known || state.spans.len() < ADDRESSES_MAX);
        match state.spans.iter_mut().find(|span| span.address == address) {
            Some(span) => span.last_ms = span.last_ms.max(now_ms),
            None => state.spans.push(Span { address, first_ms: now_ms, last_ms: now_ms }),
        }
        drop(state);
        if is_first {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(token));
        }
    }

    /// Takes the uses to report now: those of tokens that were not reported within the last minute, or of all tokens.
    pub(crate) fn due(&self, now: DateTime<Utc>, all: bool) -> Vec<TokenUse> {
        let now_ms = now.timestamp_millis();
        let mut due = Vec::new();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|token| {
            let mut state = token.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !all && state.reported_ms.is_some_and(|reported| now_ms - reported < REPORT_INTERVAL_MS) {
                return true;
            }
            state.reported_ms = Some(now_ms);
            due.extend(state.spans.drain(..).map(|span| TokenUse {
                token_id: token.token_id,
                address: span.address,
                first_used_at: DateTime::from_timestamp_millis(span.first_ms).unwrap_or(now),
                last_used_at: DateTime::from_timestamp_millis(span.last_ms).unwrap_or(now),
            }));
            false
        });
        due
    }
}
