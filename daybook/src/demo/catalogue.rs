//! What people do in the demo, and how often.

use serde_json::{Value, json};

use super::random::Random;

/// What is done within a visit, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    ViewPage,
    OpenDocument,
    Search,
    SendInvoice,
    ReceivePayment,
    ExportReport,
    AddComment,
}

pub(super) const DEEDS: [(Deed, u64); 7] = [
    (Deed::ViewPage, 48),
    (Deed::OpenDocument, 18),
    (Deed::Search, 11),
    (Deed::AddComment, 8),
    (Deed::SendInvoice, 7),
    (Deed::ReceivePayment, 5),
    (Deed::ExportReport, 3),
];

const PAGES: [(&str, u64); 6] =
    [("/", 30), ("/invoices", 28), ("/customers", 16), ("/reports", 12), ("/settings", 5), ("/pricing", 9)];
const DOCUMENTS: [(&str, u64); 4] = [("invoice", 55), ("offer", 20), ("receipt", 18), ("contract", 7)];
const BROWSERS: [(&str, u64); 4] = [
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0", 48),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) Safari/18.1", 22),
    ("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0", 14),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Mobile Safari", 16),
];
const PLANS: [(&str, u64); 3] = [("free", 55), ("team", 35), ("business", 10)];
const METHODS: [(&str, u64); 3] = [("transfer", 60), ("card", 30), ("direct_debit", 10)];
const FORMATS: [(&str, u64); 3] = [("csv", 50), ("pdf", 40), ("xlsx", 10)];
const COUNTRIES: [(&str, u64); 5] = [("DE", 50), ("AT", 14), ("CH", 12), ("FR", 13), ("NL", 11)];

/// An actor, with what every visit of theirs has in common.
pub(super) struct Person {
    pub(super) actor: String,
    plan: &'static str,
    country: &'static str,
    browser: &'static str,
    /// Of the ranges that are reserved for documentation (RFC 5737).
    ip: String,
}

impl Person {
    pub(super) fn new(number: u64, random: &mut Random) -> Self {
        let block = random.one_of(&["198.51.100", "203.0.113", "192.0.2"]).copied().unwrap_or("192.0.2");
        Self {
            actor: format!("user-{:03}", number + 1),
            plan: random.weighted(&PLANS).unwrap_or_default(),
            country: random.weighted(&COUNTRIES).unwrap_or_default(),
            browser: random.weighted(&BROWSERS).unwrap_or_default(),
            ip: format!("{block}.{}", random.between(1, 254)),
        }
    }

    pub(super) fn context(&self, session: &str, page: &str) -> Value {
        json!({
            "session": session, "page": page, "ip": self.ip, "user_agent": self.browser,
            "country": self.country, "plan": self.plan,
        })
    }

    pub(super) fn page(random: &mut Random) -> &'static str {
        random.weighted(&PAGES).unwrap_or_default()
    }
}

impl Deed {
    pub(super) const fn activity_type(self) -> &'static str {
        match self {
            Self::ViewPage => "page.viewed",
            Self::OpenDocument => "document.opened",
            Self::Search => "search.performed",
            Self::SendInvoice => "invoice.sent",
            Self::ReceivePayment => "payment.received",
            Self::ExportReport => "report.exported",
            Self::AddComment => "comment.added",
        }
    }

    /// What it says besides, and its value: an amount in euros, seconds, or results.
    pub(super) fn details(self, page: &str, random: &mut Random) -> (Value, Option<f64>) {
        let document = random.weighted(&DOCUMENTS).unwrap_or_default();
        let number = random.between(1_000, 4_999);
        match self {
            Self::ViewPage => (json!({"page": page, "load_ms": random.between(60, 900)}), None),
            Self::OpenDocument => (json!({"kind": document, "document": format!("D-{number}")}), None),
            Self::Search => {
                let results = random.below(40);
                (json!({"scope": document, "found": results > 0}), Some(results as f64))
            }
            Self::SendInvoice => {
                (json!({"invoice": format!("R-{number}"), "currency": "EUR"}), Some(amount(random)))
            }
            Self::ReceivePayment => {
                let method = random.weighted(&METHODS).unwrap_or_default();
                (
                    json!({"invoice": format!("R-{number}"), "currency": "EUR", "method": method}),
                    Some(amount(random)),
                )
            }
            Self::ExportReport => {
                let format = random.weighted(&FORMATS).unwrap_or_default();
                (json!({"report": "turnover", "format": format}), Some(random.between(4, 90) as f64 / 10.0))
            }
            Self::AddComment => {
                (json!({"document": format!("D-{number}"), "words": random.between(2, 60)}), None)
            }
        }
    }
}

/// Most are small, and a few are large.
fn amount(random: &mut Random) -> f64 {
    let scale = random.weighted(&[(100_u64, 60), (1_000, 32), (10_000, 8)]).unwrap_or(100);
    random.between(scale * 10, scale * 100) as f64 / 100.0
}
