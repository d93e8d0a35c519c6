use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::error::CustomersError;

// OWASP's password storage cheat sheet: argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The most requests that wait for each hasher. One takes some tens of milliseconds, so nobody waits for more than a second or two.
const WAITING_MAX: usize = 32;
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Hashes and verifies passwords, a bounded number at a time, away from the threads that serve.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    hashers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// The hash to verify against when there is no account, so that the answer takes the same time.
    nobodys: Arc<str>,
}

impl Passwords {
    /// # Errors
    /// [`CustomersError::Internal`] if argon2 refuses its parameters.
    pub(crate) fn new(hashers: usize) -> Result<Self, CustomersError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobodys = argon2.hash_password(&rand::random::<[u8; 32]>()).map_err(internal)?.to_string().into();
        Ok(Self {
            argon2,
            hashers: Arc::new(Semaphore::new(hashers)),
            places: Arc::new(Semaphore::new(hashers * (WAITING_MAX + 1))),
            nobodys,
        })
    }

    /// The hash of the password's normal form, as a PHC string with its parameters and a salt of its own.
    ///
    /// # Errors
    /// [`CustomersError::Busy`].
    pub(crate) async fn hash(&self, password: String) -> Result<String, CustomersError> {
        let argon2 = self.argon2.clone();
        let password = normal(&password);
        self.run(move || {
            argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(internal)
        })
        .await?
    }

    /// Whether the password is the account's; without an account never, in the same time.
    ///
    /// # Errors
    /// [`CustomersError::Busy`].
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<Verified, CustomersError> {
        let argon2 = self.argon2.clone();
        let (exists, hash) = (hash.is_some(), hash.unwrap_or_else(|| self.nobodys.to_string()));
        self.run(move || {
            let is_right = |form: &String| argon2.verify_password(form.as_bytes(), hash.as_str()).is_ok();
            match forms(&password).iter().position(is_right).filter(|_| exists) {
                None => Verified::Wrong,
                Some(0) => Verified::Right,
                Some(_) => Verified::RightInAnotherForm,
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CustomersError> {
        let _place = self.places.try_acquire().map_err(|_| CustomersError::Busy)?;
        let waiting = tokio::time::timeout(WAIT_MAX, Arc::clone(&self.hashers).acquire_owned()).await;
        let hasher = waiting.map_err(|_| CustomersError::Busy)?.map_err(internal)?;
        let working = tokio::task::spawn_blocking(move || {
            let outcome = work();
            // Held by the work, not by the request: a client that goes away leaves the core as busy as it was.
            drop(hasher);
            outcome
        });
        working.await.map_err(internal)
    }
}

/// How a password compares with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It is not the account's.
    Wrong,
    /// It is the account's.
    Right,
    /// It is the account's, but the hash was made of another form and should be replaced.
    RightInAnotherForm,
}

/// The form in which passwords are compared (RFC 8265, 4.2.2): an `é` is one character on one keyboard and an `e` with
/// an accent on another.
pub(crate) fn normal(password: &str) -> String {
    password.nfc().collect()
}

/// The forms of which a hash may have been made, the normal one first. Hashes from before passwords were normalized are
/// of what a keyboard sent: as it was sent now, or in the other form. Most passwords have one form.
fn forms(password: &str) -> Vec<String> {
    let mut forms = vec![normal(password)];
    for other in [password.to_owned(), password.nfd().collect()] {
        if !forms.contains(&other) {
            forms.push(other);
        }
    }
    forms
}

fn internal(error: impl std::fmt::Display) -> CustomersError {
    CustomersError::Internal(format!("hashing a password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash_alone() {
        let passwords = Passwords::new(2).unwrap();
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, hash: Option<String>| {
            passwords.verify(password.to_owned(), hash).await.unwrap()
        };
        assert_eq!(verify("correct horse battery", Some(hash.clone())).await, Verified::Right);
        assert_eq!(verify("correct horse staple", Some(hash)).await, Verified::Wrong);
        assert_eq!(verify("correct horse battery", None).await, Verified::Wrong);
    }

    #[tokio::test]
    async fn a_password_is_the_same_on_every_keyboard() {
        let passwords = Passwords::new(2).unwrap();
        let (composed, decomposed) =
            ("caf\u{e9} cr\u{e8}me br\u{fb}l\u{e9}e", "cafe\u{301} cre\u{300}me bru\u{302}le\u{301}e");
        for chosen in [composed, decomposed] {
            let hash = passwords.hash(chosen.to_owned()).await.unwrap();
            for typed in [composed, decomposed] {
                let verified = passwords.verify(typed.to_owned(), Some(hash.clone())).await.unwrap();
                assert_eq!(verified, Verified::Right, "{chosen:?} {typed:?}");
            }
        }
        // From before passwords were normalized.
        let old = passwords.argon2.hash_password(decomposed.as_bytes()).unwrap().to_string();
        for typed in [composed, decomposed] {
            let verified = passwords.verify(typed.to_owned(), Some(old.clone())).await.unwrap();
            assert_eq!(verified, Verified::RightInAnotherForm, "{typed:?}");
        }
    }

    #[tokio::test]
    async fn too_many_at_once_are_turned_away() {
        let passwords = Passwords::new(1).unwrap();
        let _all = passwords.places.clone().try_acquire_many_owned(WAITING_MAX as u32 + 1).unwrap();
        assert!(matches!(passwords.hash("x".into()).await, Err(CustomersError::Busy)));
    }
}
