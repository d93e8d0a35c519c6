use std::time::{Duration, Instant};

/// How long a condition may take on a slow machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// Waits until `attempt` returns something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    attempt: impl FnMut() -> F,
) -> T {
    within(PATIENCE, what, attempt).await
}

/// Waits until `attempt` returns something, but no longer than `limit`.
pub(crate) async fn within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(began.elapsed() < limit, "it did not come about within {limit:?} that {what}");
        tokio::time::sleep(POLL).await;
    }
}
