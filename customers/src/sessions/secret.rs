use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a session's cookie holds: 32 random bytes in base64.
#[derive(Clone)]
pub(crate) struct SessionSecret(String);

impl SessionSecret {
    pub(super) fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    pub(crate) fn from_cookie(value: &str) -> Self {
        Self(value.to_owned())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The session's id in the table: a hash, so that nobody can log in with what the table holds.
    pub(crate) fn id(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// A hash of the secret, so that nothing has to be stored. Neither the secret nor the session's id can be computed from it.
    pub(crate) fn csrf_token(&self) -> String {
        URL_SAFE_NO_PAD
            .encode(Sha256::new_with_prefix("daybook csrf token:").chain_update(&self.0).finalize())
    }

    /// Whether a request shows the session's CSRF token; takes the same time for every wrong one.
    pub(crate) fn has_csrf_token(&self, shown: Option<&str>) -> bool {
        shown.is_some_and(|shown| shown.as_bytes().ct_eq(self.csrf_token().as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csrf_token_belongs_to_one_session() {
        let (one, other) = (SessionSecret::random(), SessionSecret::random());
        assert!(one.has_csrf_token(Some(&one.csrf_token())));
        for wrong in [None, Some(""), Some(other.csrf_token().as_str()), Some(one.reveal())] {
            assert!(!one.has_csrf_token(wrong));
        }
        assert_eq!(one.reveal().len(), 43);
    }
}
