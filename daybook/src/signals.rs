use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// A token that is cancelled by Ctrl-C, a polite kill, or the end of the terminal.
///
/// # Errors
/// If the operating system does not let us listen.
pub(crate) fn stop_signal() -> Result<CancellationToken, Failure> {
    let listen = |kind| signal(kind).map_err(Failure::io("cannot listen for Ctrl-C"));
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [interrupt, terminate, hangup] = signals.map(listen);
    let (interrupt, terminate, hangup) = (interrupt?, terminate?, hangup?);
    let token = CancellationToken::new();
    tokio::spawn(cancel_at_first(interrupt, terminate, hangup, token.clone()));
    Ok(token)
}

async fn cancel_at_first(
    mut interrupt: Signal,
    mut terminate: Signal,
    mut hangup: Signal,
    token: CancellationToken,
) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    token.cancel();
}

/// Does `work` until it is done or `stop` is cancelled; what it holds is then given up.
///
/// # Errors
/// What `work` says, or [`Failure::Interrupted`].
pub(crate) async fn unless_stopped<T>(
    work: impl Future<Output = Result<T, Failure>>,
    stop: &CancellationToken,
) -> Result<T, Failure> {
    tokio::select! {
        outcome = work => outcome,
        () = stop.cancelled() => Err(Failure::Interrupted),
    }
}
