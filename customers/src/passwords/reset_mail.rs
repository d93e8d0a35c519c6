//! Mails links to choose a password with, one after the other and after the request was answered: how long the answer takes
//! must not tell whether somebody logs in with an address.

use access::Cause;
use chassis::Tasks;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::reset_links::PasswordResets;
use crate::error::CustomersError;
use crate::mail::Mailer;

/// The most mails that wait. Each takes as long as the relay takes for one.
const WAITING_MAX: usize = 256;

/// A request for a link.
pub(crate) struct ResetMail {
    pub(crate) email: String,
    /// What caused the event.
    pub(crate) cause: Cause,
}

/// The queue of requests.
#[derive(Clone)]
pub(crate) struct ResetMails(mpsc::Sender<ResetMail>);

impl ResetMails {
    /// Starts the task that makes and mails links, which begin with `public_url`.
    pub(crate) fn start(
        resets: PasswordResets,
        mailer: Mailer,
        public_url: String,
        tasks: &mut Tasks,
        shutdown: CancellationToken,
    ) -> Self {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        let working = async move {
            while let Some(request) = receiver.recv().await {
                if let Err(error) = make_and_mail(&resets, &mailer, &public_url, request).await {
                    tracing::warn!(%error, "a link to choose a password with was not made");
                }
            }
        };
        // What still waits at a shutdown is lost; people ask again.
        tasks.spawn(async move {
            shutdown.run_until_cancelled_owned(working).await;
        });
        Self(sender)
    }

    /// Adds a request.
    ///
    /// # Errors
    /// [`CustomersError::Busy`] if too many wait.
    pub(crate) fn push(&self, request: ResetMail) -> Result<(), CustomersError> {
        self.0.try_send(request).map_err(|_| CustomersError::Busy)
    }
}

async fn make_and_mail(
    resets: &PasswordResets,
    mailer: &Mailer,
    public_url: &str,
    request: ResetMail,
) -> Result<(), CustomersError> {
    if let Some(offered) = resets.offer(&request.email, request.cause).await? {
        mailer.reset(&offered.email, &offered.url(public_url)).await;
    }
    Ok(())
}
