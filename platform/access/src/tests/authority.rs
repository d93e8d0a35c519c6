use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use domain::token::{Scope, TokenHash, TokenSecret};
use domain::{CustomerId, TokenId};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    Authenticator, AuthenticatorConfig, AuthorityError, Principal, Refusal, Subject, TokenAuthority,
    TokenUse, Validated, Verdict,
};

/// An authority that counts its questions, and answers when it may.
pub(super) struct Counting {
    answer: Mutex<Option<Verdict>>,
    pub(super) asked: AtomicUsize,
    pub(super) may_answer: Semaphore,
    pub(super) told: Mutex<Vec<TokenUse>>,
}

impl Counting {
    pub(super) fn new(answer: Verdict) -> Arc<Self> {
        Arc::new(Self {
            answer: Mutex::new(Some(answer)),
            asked: AtomicUsize::new(0),
            may_answer: Semaphore::new(1_000),
            told: Mutex::default(),
        })
    }

    /// None: it gives no answer.
    pub(super) fn answer(&self, answer: Option<Verdict>) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Holds answers back from now on.
    pub(super) fn hold(&self) {
        self.may_answer.forget_permits(1_000);
    }

    pub(super) async fn is_asked(&self, times: usize) {
        let waiting = async {
            while self.asked() < times {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await.unwrap();
    }
}

#[async_trait]
impl TokenAuthority for Counting {
    async fn validate(&self, _: &TokenHash) -> Result<Verdict, AuthorityError> {
        // What is true when it is asked, told when it may answer.
        let answer = self.answer.lock().unwrap().clone();
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.may_answer.acquire().await.unwrap().forget();
        answer.ok_or_else(|| AuthorityError("down".into()))
    }

    async fn note_uses(&self, uses: &[TokenUse]) -> Result<(), AuthorityError> {
        if self.answer.lock().unwrap().is_none() {
            return Err(AuthorityError("down".into()));
        }
        self.told.lock().unwrap().extend_from_slice(uses);
        Ok(())
    }
}

pub(super) fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

pub(super) fn secret(n: u8) -> TokenSecret {
    TokenSecret::make(|below| n % below)
}

pub(super) fn principal() -> Principal {
    Principal {
        customer_id: CustomerId(Uuid::from_u128(1)),
        subject: Subject::Token(TokenId(Uuid::from_u128(2))),
        scopes: vec![Scope::Ingest, Scope::Read].into(),
        time_zone: Tz::Europe__Berlin,
        public: None,
    }
}

pub(super) fn valid_until(expires_at: Option<DateTime<Utc>>) -> Verdict {
    Verdict::Valid(Validated { principal: principal(), expires_at })
}

pub(super) fn unknown() -> Verdict {
    Verdict::Refused(Refusal::Unknown)
}

pub(super) fn authenticator(authority: &Arc<Counting>) -> Authenticator {
    Authenticator::new(Arc::<Counting>::clone(authority), AuthenticatorConfig::default())
}
