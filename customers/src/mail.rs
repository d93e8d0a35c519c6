//! Mail through a relay, where one is configured. The inviter gets the link of an
//! invitation too, so that a mail that is not sent costs nothing. A link to choose a password with is in the mail alone.

use std::time::Duration;

use chassis::{ConfigError, Env};
use domain::customer::Role;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::passwords::reset_links;

const URL: &str = "DAYBOOK_SMTP_URL";
const FROM: &str = "DAYBOOK_MAIL_FROM";
/// The limit of each step of the conversation with the relay; somebody waits for the answer.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);
/// The limit of the whole conversation.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A relay, and the sender's address.
#[derive(Clone)]
pub struct Mailer {
    relay: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// An invitation to mail.
pub(crate) struct Invitation<'a> {
    pub(crate) email: &'a str,
    pub(crate) customer: &'a str,
    pub(crate) role: Role,
    /// The whole link, with a host.
    pub(crate) url: &'a str,
}

impl Mailer {
    /// From `DAYBOOK_SMTP_URL` and `DAYBOOK_MAIL_FROM`; none without the former.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key. It never has the URL, in which there may be a password.
    pub(crate) fn from_env(env: &Env) -> Result<Option<Self>, ConfigError> {
        let about = "A relay that takes mail: smtps://user:password@host, or smtp://host:587?tls=required, or smtp://host:25 in \
                     a network that one trusts.";
        let without = "no mail is sent: whoever invites hands the link on, and the operator makes links for forgotten passwords";
        let Some(url) = env.key(URL, about).optional(without, "smtp://127.0.0.1:25") else { return Ok(None) };
        let relay = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|error| {
            let reason = format!("must look like smtps://user:password@host or smtp://host:25: {error}");
            ConfigError::Invalid { key: URL.to_owned(), value: "…".to_owned(), reason }
        })?;
        let about = "From whom mail comes; needed with a relay.";
        let from = env.key(FROM, about).optional("needed with a relay", "Daybook <daybook@example.com>");
        let from = from.ok_or(ConfigError::Missing { key: FROM, about })?;
        let from = from.parse().map_err(|error: lettre::address::AddressError| {
            env.key(FROM, about).invalid(from, error.to_string())
        })?;
        Ok(Some(Self { relay: relay.timeout(Some(STEP_TIMEOUT)).build(), from }))
    }

    /// Gives an invitation to the relay, and returns whether it took it. A failure is logged here.
    pub(crate) async fn invite(&self, invitation: &Invitation<'_>) -> bool {
        self.send(self.message(invitation), "an invitation was not mailed; whoever invited has the link")
            .await
    }

    /// Gives a link to choose a password with to the relay, and returns whether it took it.
    pub(crate) async fn reset(&self, email: &str, url: &str) -> bool {
        let text = format!(
            "Somebody asked to choose a new password for {email} on Daybook. Choose one:\n\n{url}\n\n\
             The link works once, within {} minutes. If it was not you, do nothing: your password stays as it is.\n",
            reset_links::TTL.num_minutes()
        );
        let message = self.text(email, "Choose a new password for Daybook".to_owned(), text);
        self.send(message, "a link to choose a password with was not mailed").await
    }

    async fn send(&self, message: Result<Message, String>, failure: &'static str) -> bool {
        let outcome = match message {
            Ok(message) => match tokio::time::timeout(TIMEOUT, self.relay.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {TIMEOUT:?}")),
            },
            Err(error) => Err(error),
        };
        let label = if outcome.is_ok() { "sent" } else { "failed" };
        metrics::counter!("daybook_mails_total", "outcome" => label).increment(1);
        if let Err(error) = &outcome {
            tracing::warn!(%error, "{failure}");
        }
        outcome.is_ok()
    }

    fn message(&self, invitation: &Invitation<'_>) -> Result<Message, String> {
        let Invitation { email, customer, role, url } = invitation;
        // On one line, whatever a customer is called, for the subject is a header.
        let customer: String = customer.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = format!(
            "Somebody at {customer} invites you to Daybook, as {}.\n\nSet a password and join:\n\n{url}\n\n\
             The link works once, within seven days. If you expected no invitation, do nothing.\n",
            role.name()
        );
        self.text(email, format!("{customer} invites you to Daybook"), text)
    }

    fn text(&self, email: &str, subject: String, text: String) -> Result<Message, String> {
        Message::builder()
            .from(self.from.clone())
            .to(email.parse::<Mailbox>().map_err(|error| format!("the address: {error}"))?)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(url: &str) -> Result<Option<Mailer>, ConfigError> {
        Mailer::from_env(&Env::from_pairs([(URL, url), (FROM, "Daybook <daybook@example.com>")]))
    }

    #[test]
    fn a_wrong_relay_is_named_without_its_password() {
        let error = mailer("http://user:secret@relay").err().unwrap().to_string();
        assert!(error.contains(URL) && !error.contains("secret"), "{error}");
        assert!(mailer("").unwrap().is_none());
        let error = Mailer::from_env(&Env::from_pairs([(URL, "smtp://relay:25")])).err().unwrap().to_string();
        assert!(error.contains(FROM), "{error}");
    }

    #[tokio::test]
    async fn a_name_does_not_write_headers() {
        let mailer = mailer("smtp://relay:25").unwrap().unwrap();
        let customer = "Eve\r\nBcc: everybody@example.com";
        let invitation = Invitation {
            email: "bob@example.com",
            customer,
            role: Role::Analyst,
            url: "http://x/join#token=1",
        };
        let message = String::from_utf8(mailer.message(&invitation).unwrap().formatted()).unwrap();
        let (headers, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
        // Quoted-printable (RFC 2045, 6.7), for the line is long.
        let body = body.replace("=\r\n", "").replace("=3D", "=");
        assert!(body.contains("http://x/join#token=1"), "{body}");
        let wrong = Invitation { email: "bob@example.com, eve@example.com", ..invitation };
        assert!(mailer.message(&wrong).is_err());
    }
}
