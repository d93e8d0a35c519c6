use std::collections::HashMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use crate::listen::Listen;

/// Where a service's configuration comes from: the process environment, or a map in tests and in `daybook up`.
#[derive(Clone, Debug, Default)]
pub struct Env(HashMap<String, String>);

/// A configuration that cannot be used; the message names the key and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key without a default is not set.
    #[error("{key} is not set. {hint}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it is for, as a sentence.
        hint: &'static str,
    },
    /// A value cannot be read.
    #[error("{key} = {value:?} cannot be used: {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// The value as given.
        value: String,
        /// Why.
        reason: String,
    },
    /// A `.env` file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: dotenvy::Error,
    },
}

impl Env {
    /// The process environment, over `.env` in the service's folder, over `.env` in the working directory.
    ///
    /// # Errors
    /// A `.env` file that exists and cannot be read.
    pub fn load(service_folder: &str) -> Result<Self, ConfigError> {
        let mut all = HashMap::new();
        for path in [Path::new(".env").to_path_buf(), Path::new(service_folder).join(".env")] {
            if !path.is_file() {
                continue;
            }
            let unreadable = |source| ConfigError::File { path: path.display().to_string(), source };
            for entry in dotenvy::from_path_iter(&path).map_err(unreadable)? {
                let (key, value) = entry.map_err(unreadable)?;
                all.insert(key, value);
            }
        }
        all.extend(std::env::vars());
        Ok(Self(all))
    }

    /// A configuration from pairs.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The value of a key; an empty value counts as not set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a key that must be set; `hint` says what it is for.
    ///
    /// # Errors
    /// [`ConfigError`] if it is missing or cannot be read.
    pub fn required<T: FromStr<Err: Display>>(
        &self,
        key: &'static str,
        hint: &'static str,
    ) -> Result<T, ConfigError> {
        let value = self.get(key).ok_or(ConfigError::Missing { key, hint })?;
        parse(key, value)
    }

    /// The value of a key, or its default.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read.
    pub fn or<T: FromStr<Err: Display>>(&self, key: &str, default: T) -> Result<T, ConfigError> {
        self.get(key).map_or(Ok(default), |value| parse(key, value))
    }

    /// The same, with the default as somebody would set it.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it cannot be read.
    pub fn or_text<T: FromStr<Err: Display>>(&self, key: &str, default: &str) -> Result<T, ConfigError> {
        parse(key, self.get(key).unwrap_or(default))
    }

    /// Where to listen; as [`Listen`] takes it.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read.
    pub fn listen(&self, key: &str, default: impl Into<SocketAddr>) -> Result<SocketAddr, ConfigError> {
        self.or(key, Listen(default.into())).map(|listen| listen.0)
    }

    /// The same for a number that has bounds.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read, or lies outside.
    pub fn within<N>(&self, key: &str, default: N, bounds: RangeInclusive<N>) -> Result<N, ConfigError>
    where
        N: FromStr<Err: Display> + Display + PartialOrd,
    {
        let value = self.or(key, default)?;
        if bounds.contains(&value) {
            return Ok(value);
        }
        Err(ConfigError::Invalid {
            key: key.to_owned(),
            value: value.to_string(),
            reason: format!("must be {} to {}", bounds.start(), bounds.end()),
        })
    }
}

fn parse<T: FromStr<Err: Display>>(key: &str, value: &str) -> Result<T, ConfigError> {
    value.parse().map_err(|reason: T::Err| ConfigError::Invalid {
        key: key.to_owned(),
        value: value.to_owned(),
        reason: reason.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_is_named() {
        let env = Env::from_pairs([("DAYBOOK_FOLD_DELAY_MS", "soon")]);
        let error = env.or("DAYBOOK_FOLD_DELAY_MS", 500u64).unwrap_err().to_string();
        assert_eq!(error, "DAYBOOK_FOLD_DELAY_MS = \"soon\" cannot be used: invalid digit found in string");
    }

    #[test]
    fn a_number_out_of_bounds_is_named_with_them() {
        let env = Env::from_pairs([("DAYBOOK_APPENDERS", "0")]);
        let error = env.within("DAYBOOK_APPENDERS", 2, 1..=64).unwrap_err().to_string();
        assert_eq!(error, "DAYBOOK_APPENDERS = \"0\" cannot be used: must be 1 to 64");
    }

    #[test]
    fn an_empty_value_is_not_set() {
        let env = Env::from_pairs([("DAYBOOK_FOLD_DELAY_MS", "")]);
        assert_eq!(env.or("DAYBOOK_FOLD_DELAY_MS", 500u64).unwrap(), 500);
        assert!(env.required::<u64>("DAYBOOK_FOLD_DELAY_MS", "It delays.").is_err());
    }
}
