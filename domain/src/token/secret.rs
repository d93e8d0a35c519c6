use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hex;

const PREFIX: &str = "dbk_";
const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token as its owner holds it: `dbk_`, 32 random base62 characters (190 bits), 6 of checksum. The checksum is
/// the first 8 bytes (big endian) of the SHA-256 of what stands before it, modulo 62^6, in base62: a typo is refused
/// without a look-up, and a scanner can recognise a leak.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret(String);

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: it must be dbk_ and 38 letters and digits, the last six a checksum")]
pub struct SecretFault;

impl SecretFault {
    /// What to do, for the client that sent it.
    pub const ADVICE: &str =
        "This is not a token: it must be dbk_ and 38 letters and digits, copied whole and without spaces.";
}

impl TokenSecret {
    /// Makes a secret; `random` draws a number below its argument, evenly and unpredictably.
    pub fn make(mut random: impl FnMut(u8) -> u8) -> Self {
        let mut text = String::from(PREFIX);
        text.extend((0..RANDOM_CHARS).map(|_| char::from(BASE62[usize::from(random(62)) % 62])));
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self(text)
    }

    /// Takes a text if its form and checksum are right.
    ///
    /// # Errors
    /// [`SecretFault`] otherwise.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let body = text.strip_prefix(PREFIX).ok_or(SecretFault)?;
        if body.len() != RANDOM_CHARS + CHECKSUM_CHARS || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(SecretFault);
        }
        let (start, end) = text.split_at(PREFIX.len() + RANDOM_CHARS);
        if checksum(start) != end {
            return Err(SecretFault);
        }
        Ok(Self(text.to_owned()))
    }

    /// What is stored and looked up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex(&Sha256::digest(self.0.as_bytes())))
    }

    /// The secret itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Enough to recognise the token in a list, too little to use it.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.0.chars().take(PREFIX.len() + 4).collect()
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSecret({}…)", self.prefix())
    }
}

/// The SHA-256 of a token's secret, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(pub String);

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut number = digest[..8].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let mut chars = [0u8; CHECKSUM_CHARS];
    for place in chars.iter_mut().rev() {
        *place = BASE62[(number % 62) as usize];
        number /= 62;
    }
    chars.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TokenSecret {
        let mut next = 0u8;
        TokenSecret::make(|below| {
            next = (next + 7) % below;
            next
        })
    }

    #[test]
    fn a_secret_has_the_published_form() {
        let secret = secret();
        assert_eq!(secret.reveal().len(), 42);
        assert_eq!(TokenSecret::parse(secret.reveal()), Ok(secret));
    }

    #[test]
    fn every_single_typo_is_refused() {
        let right = secret().reveal().to_owned();
        for place in 4..right.len() {
            let mut wrong: Vec<u8> = right.clone().into_bytes();
            wrong[place] = if wrong[place] == b'x' { b'y' } else { b'x' };
            assert_eq!(TokenSecret::parse(std::str::from_utf8(&wrong).unwrap()), Err(SecretFault));
        }
    }

    #[test]
    fn debug_does_not_tell_the_secret() {
        assert!(!format!("{:?}", secret()).contains(&secret().reveal()[8..]));
    }
}
