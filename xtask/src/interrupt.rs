//! Ctrl-C: steps run in process groups of their own, so it reaches only us, and we stop them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// Takes note of Ctrl-C and its kin from now on.
pub(crate) fn listen() {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if let Err(error) = flag::register(signal, Arc::clone(&REQUESTED)) {
            eprintln!("warning: Ctrl-C cannot be noticed: {error}");
        }
    }
}

/// Whether Ctrl-C was pressed.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
