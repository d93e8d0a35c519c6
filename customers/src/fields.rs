use chassis::FieldError;
use chrono_tz::Tz;
use unicode_normalization::UnicodeNormalization;

use crate::error::CustomersError;
use crate::passwords::{common, hashing};

const EMAIL_CHARS_MAX: usize = 254;
const PASSWORD_CHARS_MIN: usize = 12;
const PASSWORD_CHARS_MAX: usize = 128;

/// The faults of a body, collected so that a client gets all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    pub(crate) fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    pub(crate) fn none(self) -> Result<(), CustomersError> {
        if self.0.is_empty() { Ok(()) } else { Err(CustomersError::Invalid(self.0)) }
    }

    /// A name for people, without the space around it.
    pub(crate) fn name(&mut self, pointer: &str, text: &str, chars_max: usize) -> String {
        let text = text.trim();
        if !(1..=chars_max).contains(&text.chars().count()) {
            self.add(pointer, format!("must have 1 to {chars_max} characters"));
        } else if text.chars().any(char::is_control) {
            self.add(pointer, "must not contain control characters");
        }
        text.to_owned()
    }

    pub(crate) fn email(&mut self, pointer: &str, text: &str) -> String {
        email(text).unwrap_or_else(|| {
            self.add(pointer, "must be an e-mail address");
            String::new()
        })
    }

    /// Checks that a password is hard to guess for somebody who knows these words about its owner.
    pub(crate) fn password(&mut self, pointer: &str, text: &str, known: &[&str]) {
        let locals = known.iter().filter_map(|word| Some(word.split_once('@')?.0));
        let known: Vec<&str> = known.iter().copied().chain(locals).collect();
        let text = &hashing::normal(text);
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&text.chars().count()) {
            self.add(pointer, format!("must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"));
        } else if let Some(fault) = common::fault(text, &known) {
            self.add(pointer, fault);
        }
    }

    pub(crate) fn time_zone(&mut self, pointer: &str, text: Option<&str>) -> Tz {
        let Some(text) = text else { return Tz::UTC };
        text.parse().unwrap_or_else(|_| {
            self.add(pointer, "must be the IANA name of a time zone, as Europe/Berlin");
            Tz::UTC
        })
    }
}

/// Returns the address in lower case and in the normal form (NFC: the same on every keyboard), if the text can be one. A
/// pattern cannot say whether mail arrives there.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase().nfc().collect::<String>();
    let (local, host) = text.rsplit_once('@')?;
    let is_plain = |text: &str| !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let labels = host.split('.').all(|label| !label.is_empty());
    let fits = !local.is_empty() && labels && is_plain(&text) && text.chars().count() <= EMAIL_CHARS_MAX;
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(email(" Ada@Example.COM ").as_deref(), Some("ada@example.com"));
        assert_eq!(email("Zoe\u{308}@example.com"), email("zo\u{eb}@example.com"));
        for text in ["", "ada", "@example.com", "ada@", "ada@.com", "a da@example.com", "ada@exam\0ple.com"] {
            assert_eq!(email(text), None, "{text:?}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut faults = Faults::default();
        faults.name("/name", " \u{200b}\0", 200);
        faults.email("/email", "x");
        faults.password("/password", "elevenchars", &[]);
        faults.time_zone("/time_zone", Some("Mars/Olympus"));
        let CustomersError::Invalid(errors) = faults.none().unwrap_err() else {
            panic!("not a fault of the body")
        };
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/email", "/password", "/time_zone"]);
    }
}
