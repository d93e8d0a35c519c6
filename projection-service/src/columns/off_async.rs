use tokio::runtime::{Handle, RuntimeFlavor};

/// Does work that takes more than a moment of a processor. The other tasks of the thread go on on another one meanwhile.
pub(crate) fn off_async<T>(work: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    // With one thread there is no other one.
    if matches!(flavor, Ok(RuntimeFlavor::MultiThread)) { tokio::task::block_in_place(work) } else { work() }
}
