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

use crate::entry::{Entry, Lifetimes, Restriction};
use crate::feed_status::FeedStatus;
use crate::uses::UnreportedUses;
use crate::{AuthenticatorConfig, Denied, Principal, TokenAuthority, Verdict};

/// How long a restriction is kept: longer than any answer of an authority can be under way.
const RESTRICTION_TTL: Duration = Duration::from_mins(10);
const RESTRICTIONS_MAX: u64 = 100_000;
/// While the log of revocations is unreachable, each token is validated again this often: a revocation is then at most so
/// late.
const RECHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Validates tokens. The authority is asked about each once a day, however many callers show it.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    authority: Arc<dyn TokenAuthority>,
    config: AuthenticatorConfig,
    /// Tokens that were validated, and those that were revoked since.
    entries: Cache<TokenHash, Entry>,
    /// Tokens that were refused. Apart from the entries, so that a flood of bad tokens cannot drive out good ones.
    refusals: Cache<TokenHash, Denied>,
    /// What the log said lately. A fill of an entry looks here afterwards.
    restrictions: Cache<TokenHash, Restriction>,
    /// Tokens that were validated again while the log of revocations was unreachable.
    rechecks: Cache<TokenHash, ()>,
    /// The time zones that customers have lately changed to.
    zones: Cache<CustomerId, Tz>,
    uses: UnreportedUses,
    feed: FeedStatus,
    hits: Counter,
    misses: Counter,
}

impl Authenticator {
    /// An authenticator in front of an authority. Its metrics go to the recorder that is installed when this is called.
    #[must_use]
    pub fn new(authority: Arc<dyn TokenAuthority>, config: AuthenticatorConfig) -> Self {
        let entries = Cache::builder().max_capacity(config.entries_max).expire_after(Lifetimes).build();
        let refusals =
            Cache::builder().max_capacity(config.entries_max).time_to_live(config.refusal_ttl()).build();
        // Least recently used, because the default policy may turn a newcomer away.
        let restrictions = Cache::builder().max_capacity(RESTRICTIONS_MAX).time_to_live(RESTRICTION_TTL);
        let restrictions = restrictions.eviction_policy(EvictionPolicy::lru()).build();
        let zones = Cache::builder().max_capacity(RESTRICTIONS_MAX).time_to_live(RESTRICTION_TTL);
        let zones = zones.eviction_policy(EvictionPolicy::lru()).build();
        let rechecks =
            Cache::builder().max_capacity(config.entries_max).time_to_live(RECHECK_INTERVAL).build();
        Self(Arc::new(Inner {
            authority,
            config,
            entries,
            refusals,
            restrictions,
            rechecks,
            zones,
            uses: UnreportedUses::default(),
            feed: FeedStatus::default(),
            hits: metrics::counter!("daybook_token_cache_hits_total"),
            misses: metrics::counter!("daybook_token_cache_misses_total"),
        }))
    }

    /// Empties the cache: the log that would have announced revocations of its tokens is another one now.
    pub(crate) fn forget(&self) {
        self.0.entries.invalidate_all();
        self.0.refusals.invalidate_all();
    }

    /// Returns who shows this text as a token.
    ///
    /// # Errors
    /// [`Denied::Malformed`] without any look-up, otherwise [`Denied::Refused`] or [`Denied::Unavailable`].
    pub async fn authenticate(&self, text: &str, now: DateTime<Utc>) -> Result<Arc<Principal>, Denied> {
        self.authenticate_from(text, None, now).await
    }

    /// As [`Self::authenticate`]; the use is recorded with the client's address.
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
        if let Some(uses) = entry.uses() {
            self.0.uses.record(uses, address, now);
        }
        Ok(principal)
    }

    async fn find(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Entry, Denied> {
        let inner = &*self.0;
        if let Some(entry) = inner.entries.get(hash).await {
            inner.hits.increment(1);
            if inner.feed.is_stale(now) {
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

    /// Asks the authority, once for all callers that wait for the same token. In a task of its own: a caller that goes away
    /// must not stop the fill between writing the entry and looking at the restrictions.
    async fn fill(&self, hash: TokenHash, now: DateTime<Utc>) -> Result<Entry, Denied> {
        let this = self.clone();
        let filling = tokio::spawn(async move {
            let entry = this
                .0
                .entries
                .try_get_with_by_ref(&hash, this.ask(&hash, now))
                .await
                .map_err(|denied| *denied)?;
            Ok(this.apply_restrictions(&hash, entry, now).await)
        });
        filling.await.unwrap_or(Err(Denied::Unavailable))
    }

    async fn ask(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Entry, Denied> {
        let inner = &*self.0;
        // Before the log of revocations is followed, no revocation of the token would arrive.
        let ttl = if inner.feed.was_connected() { inner.config.ttl() } else { inner.config.refusal_ttl() };
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

    /// Applies restrictions to an entry that was just written, until none is new. A restriction is always stored before its
    /// entry is written, so whichever of the two writers comes last leaves the restricted entry.
    async fn apply_restrictions(&self, hash: &TokenHash, mut entry: Entry, now: DateTime<Utc>) -> Entry {
        let mut applied = None;
        loop {
            let restriction = self.0.restrictions.get(hash).await;
            if let Some(new) = restriction.filter(|_| restriction != applied) {
                entry = entry.restricted(new, self.0.config.ttl(), now);
                self.0.entries.insert(hash.clone(), entry.clone()).await;
                applied = restriction;
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
                        Entry::valid(validated, this.0.config.ttl(), now).with_uses_of(&before)
                    }
                    Ok(Verdict::Refused(refusal)) => Entry::refused(refusal, this.0.config.ttl()),
                    Err(_) => return,
                };
                this.0.entries.insert(key.clone(), entry.clone()).await;
                this.apply_restrictions(&key, entry, now).await;
            });
            let _ = done.await;
        };
        self.0.rechecks.get_with_by_ref(hash, rechecking).await;
        self.0.entries.get(hash).await.unwrap_or(entry)
    }

    /// Revokes the token here, from now on.
    pub async fn revoke(&self, hash: &TokenHash) {
        self.restrict(hash, Restriction::Revoked).await;
    }

    /// Ends the token at a new time, or at its old end if that is earlier.
    pub async fn end(&self, hash: &TokenHash, ends_at: DateTime<Utc>) {
        self.restrict(hash, Restriction::EndsAt(ends_at)).await;
    }

    async fn restrict(&self, hash: &TokenHash, restriction: Restriction) {
        let merge = |before: Option<moka::Entry<TokenHash, Restriction>>| {
            std::future::ready(Op::Put(
                before.map_or(restriction, |before| before.into_value().combined_with(restriction)),
            ))
        };
        self.0.restrictions.entry_by_ref(hash).and_compute_with(merge).await;
        if restriction == Restriction::Revoked {
            // Overwritten rather than deleted, so that a fill under way finds it, and so does the next caller.
            let revoked = Entry::refused(crate::Refusal::Revoked, self.0.config.ttl());
            self.0.entries.insert(hash.clone(), revoked).await;
        } else if let Some(entry) = self.0.entries.get(hash).await {
            self.apply_restrictions(hash, entry, Utc::now()).await;
        }
    }

    /// Changes the customer's time zone in every entry.
    pub async fn move_to(&self, customer: CustomerId, time_zone: Tz) {
        // Stored before the entries are changed, so that a fill under way finds it.
        self.0.zones.insert(customer, time_zone).await;
        let now = Utc::now();
        for (hash, entry) in &self.0.entries {
            if entry.customer() == Some(customer) {
                self.apply_restrictions(&hash, entry, now).await;
            }
        }
    }

    pub(crate) fn authority(&self) -> &dyn TokenAuthority {
        &*self.0.authority
    }

    pub(crate) fn uses(&self) -> &UnreportedUses {
        &self.0.uses
    }

    pub(crate) fn feed(&self) -> &FeedStatus {
        &self.0.feed
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("config", &self.0.config).finish_non_exhaustive()
    }
}
