use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::CustomerId;
use domain::token::{TokenHash, TokenSecret};
use metrics::Counter;
use moka::future::Cache;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;

use crate::entry::{Entry, Lifetimes, Mark};
use crate::link::Link;
use crate::uses::Uses;
use crate::{AuthenticatorConfig, Denied, Principal, TokenAuthority, Verdict};

/// How long a mark is remembered: longer than any answer of an authority can be under way.
const MARK_TTL: Duration = Duration::from_mins(10);
const MARKS_MAX: u64 = 100_000;
/// While revocations are out of reach, each token is validated again at most this often: so late can one be heard of.
const RECHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Validates tokens with one question a day for each, however many callers show it.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    authority: Arc<dyn TokenAuthority>,
    config: AuthenticatorConfig,
    /// Tokens that were validated, and those that were revoked since.
    entries: Cache<TokenHash, Entry>,
    /// Apart from the entries, so that a flood of bad tokens cannot drive out good ones.
    refusals: Cache<TokenHash, Denied>,
    /// What the log said lately. Whoever fills an entry looks here afterwards.
    marks: Cache<TokenHash, Mark>,
    /// Tokens that were validated again while revocations were out of reach.
    rechecks: Cache<TokenHash, ()>,
    /// The time zones that customers have lately moved to.
    zones: Cache<CustomerId, Tz>,
    uses: Uses,
    link: Link,
    hits: Counter,
    misses: Counter,
}

impl Authenticator {
    /// An authenticator in front of an authority. Its counters go to the recorder that is installed by now.
    #[must_use]
    pub fn new(authority: Arc<dyn TokenAuthority>, config: AuthenticatorConfig) -> Self {
        let entries = Cache::builder().max_capacity(config.entries_max).expire_after(Lifetimes).build();
        let refusals =
            Cache::builder().max_capacity(config.entries_max).time_to_live(config.refusal_ttl()).build();
        // Least recently used, because the default policy may turn a newcomer away.
        let marks = Cache::builder().max_capacity(MARKS_MAX).time_to_live(MARK_TTL);
        let marks = marks.eviction_policy(EvictionPolicy::lru()).build();
        let zones = Cache::builder().max_capacity(MARKS_MAX).time_to_live(MARK_TTL);
        let zones = zones.eviction_policy(EvictionPolicy::lru()).build();
        let rechecks =
            Cache::builder().max_capacity(config.entries_max).time_to_live(RECHECK_INTERVAL).build();
        Self(Arc::new(Inner {
            authority,
            config,
            entries,
            refusals,
            marks,
            rechecks,
            zones,
            uses: Uses::default(),
            link: Link::default(),
            hits: metrics::counter!("daybook_token_cache_hits_total"),
            misses: metrics::counter!("daybook_token_cache_misses_total"),
        }))
    }

    /// Throws away what was validated: the log that would have told of its end is another one now.
    pub(crate) fn forget(&self) {
        self.0.entries.invalidate_all();
        self.0.refusals.invalidate_all();
    }

    /// Says who shows this text as a token.
    ///
    /// # Errors
    /// [`Denied::Malformed`] without any look-up, otherwise [`Denied::Refused`] or [`Denied::Unavailable`].
    pub async fn authenticate(&self, text: &str, now: DateTime<Utc>) -> Result<Arc<Principal>, Denied> {
        self.authenticate_from(text, None, now).await
    }

    /// As [`Self::authenticate`]; a use is noted with the client's address.
    ///
    /// # Errors
    /// As [`Self::authenticate`].
    pub async fn authenticate_from(
        &self,
        text: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Principal>, Denied> {
        let outcome = match TokenSecret::parse(text) {
            Ok(secret) => self.admit(&secret.hash(), address, now).await,
            Err(_) => Err(Denied::Malformed),
        };
        if let Err(denied) = outcome {
            metrics::counter!("daybook_token_refused_total", "reason" => denied.name()).increment(1);
        }
        outcome
    }

    async fn admit(
        &self,
        hash: &TokenHash,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Principal>, Denied> {
        let entry = self.find(hash, now).await?;
        let principal = entry.admit(now)?;
        if let Some(noted) = entry.noted() {
            self.0.uses.note(noted, address, now);
        }
        Ok(principal)
    }

    async fn find(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Entry, Denied> {
        let inner = &*self.0;
        if let Some(entry) = inner.entries.get(hash).await {
            inner.hits.increment(1);
            if inner.link.is_stale(now) {
                // On the heap: its size would be every caller's.
                return Ok(Box::pin(self.recheck(hash, entry, now)).await);
            }
            return Ok(entry);
        }
        if let Some(denied) = inner.refusals.get(hash).await {
            inner.hits.increment(1);
            return Err(denied);
        }
        inner.misses.increment(1);
        self.fill(hash.clone(), now).await
    }

    /// Asks the authority, once for all who wait for the same token. In a task of its own: a caller that goes away must not
    /// stop the fill between writing the entry and looking at the marks.
    async fn fill(&self, hash: TokenHash, now: DateTime<Utc>) -> Result<Entry, Denied> {
        let this = self.clone();
        let filling = tokio::spawn(async move {
            let entry = this
                .0
                .entries
                .try_get_with_by_ref(&hash, this.ask(&hash, now))
                .await
                .map_err(|denied| *denied)?;
            Ok(this.settle(&hash, entry, now).await)
        });
        filling.await.unwrap_or(Err(Denied::Unavailable))
    }

    async fn ask(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Entry, Denied> {
        let inner = &*self.0;
        // Without a place in the log of revocations nobody would tell that the token was revoked.
        let ttl = if inner.link.has_a_place() { inner.config.ttl() } else { inner.config.refusal_ttl() };
        match inner.authority.validate(hash).await {
            Ok(Verdict::Valid(validated)) => Ok(Entry::valid(validated, ttl, now)),
            Ok(Verdict::Refused(refusal)) => {
                inner.refusals.insert(hash.clone(), Denied::Refused(refusal)).await;
                Err(Denied::Refused(refusal))
            }
            Err(error) => {
                tracing::warn!(%error, "a token was not validated");
                Err(Denied::Unavailable)
            }
        }
    }

    /// Writes marks over an entry that was just written, until none is new. A mark is always set before its entry is
    /// written, so whichever of the two writers comes last leaves the narrower entry.
    async fn settle(&self, hash: &TokenHash, mut entry: Entry, now: DateTime<Utc>) -> Entry {
        let mut applied = None;
        loop {
            let mark = self.0.marks.get(hash).await;
            if let Some(new) = mark.filter(|_| mark != applied) {
                entry = entry.narrowed(new, self.0.config.ttl(), now);
                self.0.entries.insert(hash.clone(), entry.clone()).await;
                applied = mark;
                continue;
            }
            let Some(customer) = entry.customer() else { return entry };
            let zone = self.0.zones.get(&customer).await;
            let Some(moved) = zone.and_then(|zone| entry.in_zone(customer, zone)) else { return entry };
            entry = moved;
            self.0.entries.insert(hash.clone(), entry.clone()).await;
        }
    }

    /// Validates a cached token again; it goes on working while the authority cannot be reached.
    async fn recheck(&self, hash: &TokenHash, entry: Entry, now: DateTime<Utc>) -> Entry {
        let this = self.clone();
        let (key, before) = (hash.clone(), entry.clone());
        let rechecking = async {
            // In a task of its own for the same reason as a fill.
            let done = tokio::spawn(async move {
                let entry = match this.0.authority.validate(&key).await {
                    Ok(Verdict::Valid(validated)) => {
                        Entry::valid(validated, this.0.config.ttl(), now).noting_as(&before)
                    }
                    Ok(Verdict::Refused(refusal)) => Entry::refused(refusal, this.0.config.ttl()),
                    Err(_) => return,
                };
                this.0.entries.insert(key.clone(), entry.clone()).await;
                this.settle(&key, entry, now).await;
            });
            let _ = done.await;
        };
        self.0.rechecks.get_with_by_ref(hash, rechecking).await;
        self.0.entries.get(hash).await.unwrap_or(entry)
    }

    /// Lets nobody in with the token any more, from now on.
    pub async fn revoke(&self, hash: &TokenHash) {
        self.mark(hash, Mark::Revoked).await;
    }

    /// Lets nobody in with the token after its new end.
    pub async fn end(&self, hash: &TokenHash, ends_at: DateTime<Utc>) {
        self.mark(hash, Mark::EndsAt(ends_at)).await;
    }

    async fn mark(&self, hash: &TokenHash, mark: Mark) {
        let merge = |before: Option<moka::Entry<TokenHash, Mark>>| {
            std::future::ready(Op::Put(before.map_or(mark, |before| before.into_value().and(mark))))
        };
        self.0.marks.entry_by_ref(hash).and_compute_with(merge).await;
        if mark == Mark::Revoked {
            // Written over the entry rather than deleted: a fill that is under way finds it, and so does the next caller.
            let revoked = Entry::refused(crate::Refusal::Revoked, self.0.config.ttl());
            self.0.entries.insert(hash.clone(), revoked).await;
        } else if let Some(entry) = self.0.entries.get(hash).await {
            self.settle(hash, entry, Utc::now()).await;
        }
    }

    /// The customer's days begin and end elsewhere, from now on.
    pub async fn move_to(&self, customer: CustomerId, time_zone: Tz) {
        // Told before the entries are gone through, so that a fill that is under way finds it.
        self.0.zones.insert(customer, time_zone).await;
        let now = Utc::now();
        for (hash, entry) in &self.0.entries {
            if entry.customer() == Some(customer) {
                self.settle(&hash, entry, now).await;
            }
        }
    }

    pub(crate) fn authority(&self) -> &dyn TokenAuthority {
        &*self.0.authority
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.0.uses
    }

    pub(crate) fn link(&self) -> &Link {
        &self.0.link
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("config", &self.0.config).finish_non_exhaustive()
    }
}
