//! Who has forgotten a password, one after the other and away from the request: whether somebody logs in with an address
//! must not be told by how long the answer takes.

use access::Cause;
use chassis::Tasks;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::error::CustomersError;
use crate::mail::Mailer;
use crate::resets::PasswordResets;

/// How many may wait. Each takes as long as the relay takes for a mail.
const WAITING_MAX: usize = 256;

/// A request for a link.
pub(crate) struct Forgotten {
    pub(crate) email: String,
    /// What caused the event.
    pub(crate) cause: Cause,
}

/// Takes requests, where mail is sent.
#[derive(Clone)]
pub(crate) struct ForgottenQueue(mpsc::Sender<Forgotten>);

impl ForgottenQueue {
    /// Begins to make and to mail links that begin with `public_url`.
    pub(crate) fn start(
        resets: PasswordResets,
        mailer: Mailer,
        public_url: String,
        tasks: &mut Tasks,
        shutdown: CancellationToken,
    ) -> Self {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        let working = async move {
            while let Some(forgotten) = receiver.recv().await {
                if let Err(error) = help(&resets, &mailer, &public_url, forgotten).await {
                    tracing::warn!(%error, "a link to choose a password with was not made");
                }
            }
        };
        // What still waits at the end is lost, and asked for again.
        tasks.spawn(async move {
            shutdown.run_until_cancelled_owned(working).await;
        });
        Self(sender)
    }

    /// Lets a request wait for its turn.
    ///
    /// # Errors
    /// [`CustomersError::Busy`] if too many wait.
    pub(crate) fn push(&self, forgotten: Forgotten) -> Result<(), CustomersError> {
        self.0.try_send(forgotten).map_err(|_| CustomersError::Busy)
    }
}

async fn help(
    resets: &PasswordResets,
    mailer: &Mailer,
    public_url: &str,
    forgotten: Forgotten,
) -> Result<(), CustomersError> {
    if let Some(offered) = resets.offer(&forgotten.email, forgotten.cause).await? {
        mailer.reset(&offered.email, &offered.url(public_url)).await;
    }
    Ok(())
}
