use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{View, over_time};
use crate::error::ReportsError;

/// Tells a thread whether it must leave the rest to others.
pub(crate) type Stop = Box<dyn Fn() -> bool + Send>;

impl View {
    /// Folds parts of what scans have gathered, with as many threads as are free and at least one, each into an accumulator of
    /// its own.
    ///
    /// # Errors
    /// [`ReportsError::OverBudget`] if it takes too long, [`ReportsError::Internal`] if a thread panics.
    pub(crate) async fn fold_parts<T, A>(
        &self,
        parts: Vec<T>,
        begin: impl Fn() -> A + Send + Sync + 'static,
        fold: impl Fn(&mut A, T) + Send + Sync + 'static,
    ) -> Result<Vec<A>, ReportsError>
    where
        T: Send + 'static,
        A: Send + 'static,
    {
        let permit = self.state.slots.acquire(self.customer).await;
        let deadline = self.deadline;
        let mut stops: Vec<Stop> = vec![Box::new(move || Instant::now() > deadline)];
        while stops.len() < parts.len().min(self.state.slots.count())
            && let Some(extra) = self.state.slots.try_acquire_extra()
        {
            stops.push(Box::new(move || extra.is_wanted() || Instant::now() > deadline));
        }
        let folded = fold_parts(stops, parts, begin, fold).await?;
        drop(permit);
        folded.ok_or_else(over_time)
    }
}

/// Folds parts with a thread for each of `stops`, each into an accumulator of its own. None if they have all stopped before
/// every part was folded.
///
/// # Errors
/// [`ReportsError::Internal`] if a thread panics.
pub(crate) async fn fold_parts<T, A>(
    stops: Vec<Stop>,
    parts: Vec<T>,
    begin: impl Fn() -> A + Send + Sync + 'static,
    fold: impl Fn(&mut A, T) + Send + Sync + 'static,
) -> Result<Option<Vec<A>>, ReportsError>
where
    T: Send + 'static,
    A: Send + 'static,
{
    let work = Arc::new((Mutex::new(parts.into_iter()), begin, fold));
    let thread = |stop: Stop| {
        let work = Arc::clone(&work);
        tokio::task::spawn_blocking(move || {
            let (parts, begin, fold) = &*work;
            let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            let mut accumulator = begin();
            while !stop()
                && let Some(part) = next()
            {
                fold(&mut accumulator, part);
            }
            accumulator
        })
    };
    let threads: Vec<_> = stops.into_iter().map(thread).collect();
    let mut accumulators = Vec::with_capacity(threads.len());
    for thread in threads {
        accumulators.push(thread.await.map_err(|error| ReportsError::Internal(error.to_string()))?);
    }
    let is_done = work.0.lock().unwrap_or_else(PoisonError::into_inner).len() == 0;
    Ok(is_done.then_some(accumulators))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sum(stops: Vec<Stop>) -> Option<u64> {
        let sums = fold_parts(stops, (1..=100).collect(), || 0, |sum, part| *sum += part).await.unwrap();
        sums.map(|sums| sums.into_iter().sum())
    }

    #[tokio::test]
    async fn one_thread_goes_on_where_another_one_stops() {
        assert_eq!(sum(vec![Box::new(|| false), Box::new(|| true)]).await, Some(5_050));
        assert_eq!(sum(vec![Box::new(|| false), Box::new(|| false)]).await, Some(5_050));
    }

    #[tokio::test]
    async fn parts_that_no_thread_folds_are_missed() {
        assert_eq!(sum(vec![Box::new(|| true)]).await, None);
    }
}
