use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::CustomerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Limits the threads that scan. A query waits for its first thread, and has more only while no other query waits. At most
/// half of the threads are first threads of one customer's queries.
#[derive(Clone)]
pub(crate) struct ScanSlots(Arc<Inner>);

struct Inner {
    threads: Arc<Semaphore>,
    count: usize,
    waiting: AtomicUsize,
    customers: Mutex<HashMap<CustomerId, Arc<Semaphore>>>,
}

/// Above this number of customers, those without a running scan are removed from the map.
const CUSTOMERS_MAX: usize = 1_000;

/// The permit to scan with one thread.
pub(super) struct ScanPermit {
    _customer: OwnedSemaphorePermit,
    _thread: OwnedSemaphorePermit,
}

/// The permit to scan with one more thread, to be dropped when another query waits.
pub(super) struct ExtraPermit {
    _thread: OwnedSemaphorePermit,
    slots: ScanSlots,
}

impl ExtraPermit {
    pub(super) fn is_wanted(&self) -> bool {
        self.slots.0.waiting.load(Ordering::Relaxed) > 0
    }
}

impl ScanSlots {
    pub(crate) fn new(count: usize) -> Self {
        let count = count.max(1);
        Self(Arc::new(Inner {
            threads: Arc::new(Semaphore::new(count)),
            count,
            waiting: AtomicUsize::new(0),
            customers: Mutex::default(),
        }))
    }

    /// The number of threads that may scan at the same time.
    pub(super) fn count(&self) -> usize {
        self.0.count
    }

    /// Waits for a thread.
    pub(super) async fn acquire(&self, customer: CustomerId) -> Option<ScanPermit> {
        let own = self.of(customer);
        let own = own.acquire_owned().await.ok()?;
        let _waiting = Waiting::new(&self.0.waiting);
        let thread = Arc::clone(&self.0.threads).acquire_owned().await.ok()?;
        Some(ScanPermit { _customer: own, _thread: thread })
    }

    /// One more thread, if one is free.
    pub(super) fn try_acquire_extra(&self) -> Option<ExtraPermit> {
        let thread = Arc::clone(&self.0.threads).try_acquire_owned().ok()?;
        Some(ExtraPermit { _thread: thread, slots: self.clone() })
    }

    fn of(&self, customer: CustomerId) -> Arc<Semaphore> {
        let mut customers = self.0.customers.lock().unwrap_or_else(PoisonError::into_inner);
        if customers.len() >= CUSTOMERS_MAX {
            customers.retain(|_, own| Arc::strong_count(own) > 1);
        }
        let share = (self.0.count / 2).max(1);
        Arc::clone(customers.entry(customer).or_insert_with(|| Arc::new(Semaphore::new(share))))
    }
}

/// Counts a waiting query until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_thread_is_given_up_when_somebody_waits() {
        let slots = ScanSlots::new(2);
        let (one, other) = (CustomerId(uuid::Uuid::now_v7()), CustomerId(uuid::Uuid::now_v7()));
        let permit = slots.acquire(one).await.unwrap();
        let extra = slots.try_acquire_extra().unwrap();
        assert!(!extra.is_wanted() && slots.try_acquire_extra().is_none());
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.acquire(other).await.is_some() }
        });
        while !extra.is_wanted() {
            tokio::task::yield_now().await;
        }
        drop(extra);
        assert!(waiting.await.unwrap());
        drop(permit);
    }

    #[tokio::test]
    async fn one_customer_does_not_take_every_thread() {
        let slots = ScanSlots::new(2);
        let (one, other) = (CustomerId(uuid::Uuid::now_v7()), CustomerId(uuid::Uuid::now_v7()));
        let _permit = slots.acquire(one).await.unwrap();
        let second = slots.acquire(one);
        assert!(futures::FutureExt::now_or_never(second).is_none(), "its share is one of two");
        assert!(slots.acquire(other).await.is_some());
    }
}
