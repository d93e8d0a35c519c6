//! The places of one customer: how many of its requests the services work on at the same time.
//!
//! A rate alone does not keep one customer's flood from slowing another down, for behind the gateway all requests share the
//! same cores and the same appenders. So a customer has so many places at the services and no more. A request beyond them
//! waits for one of the customer's own requests to be answered, and others do not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a batch takes: it does the work of many requests.
const BATCH_PLACES: u32 = 16;
/// Of the requests that the gateway holds, one customer's wait in at most this part.
const WAITING_PART: usize = 4;
/// The longest wait for a place.
const PLACE_TIMEOUT: Duration = Duration::from_secs(10);

/// One customer's places, and how many of its requests wait for one.
pub(crate) struct CustomerPlaces {
    /// Tells customers apart, in rates too.
    pub(crate) key: u64,
    free: Arc<Semaphore>,
    places: u32,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl CustomerPlaces {
    /// `requests_max` is how many requests the gateway holds, of all customers.
    pub(crate) fn new(key: u64, places: u32, requests_max: usize) -> Self {
        let permits = (places as usize).min(Semaphore::MAX_PERMITS);
        Self {
            key,
            free: Arc::new(Semaphore::new(permits)),
            places,
            waiting: AtomicUsize::new(0),
            waiting_max: (requests_max / WAITING_PART).max(1),
        }
    }

    /// Takes a place, or those that a batch needs. Returns `None` if too many of the customer's requests wait, or this one
    /// has waited for too long.
    pub(crate) async fn take(&self, path: &str) -> Option<PlacePermit> {
        let needed = if path.ends_with("/batch") { BATCH_PLACES } else { 1 }.min(self.places);
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(needed) {
            return Some(PlacePermit(permit));
        }
        // On the heap: its size would be every request's.
        Box::pin(self.wait(needed)).await
    }

    async fn wait(&self, needed: u32) -> Option<PlacePermit> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.waiting_max {
            return None;
        }
        let permit = Arc::clone(&self.free).acquire_many_owned(needed);
        tokio::time::timeout(PLACE_TIMEOUT, permit).await.ok()?.ok().map(PlacePermit)
    }
}

/// Places that are taken until this is dropped.
pub(crate) struct PlacePermit(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Counts a request that waits, until this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
