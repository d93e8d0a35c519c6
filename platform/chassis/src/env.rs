use std::collections::HashMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::listen::Listen;

/// Where a service's configuration comes from: the process environment, or a map in tests and in `daybook up`.
#[derive(Clone, Debug, Default)]
pub struct Env {
    values: HashMap<String, String>,
    /// What was read, in order, if this only describes a configuration.
    described: Option<Arc<Mutex<Vec<DescribedKey>>>>,
}

/// A configuration that cannot be used; the message names the key and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key without a default is not set.
    #[error("{key} is not set. {about}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it is for, in sentences.
        about: &'static str,
    },
    /// A value cannot be read.
    #[error("{key} = {value:?} cannot be used: {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// The value as given.
        value: String,
        /// Why, to follow a colon.
        reason: String,
    },
    /// A `.env` file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: dotenvy::Error,
    },
}

/// A key, as `.env.example` and the documentation show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedKey {
    /// `DAYBOOK_…`.
    pub name: &'static str,
    /// What it is for, in sentences, with unit and range.
    pub about: &'static str,
    /// What counts while it is not set.
    pub default: KeyDefault,
}

/// What counts while a key is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyDefault {
    /// A value, as it would be set.
    Value(String),
    /// It must be set; an example, which works on a developer's machine.
    Required(&'static str),
    /// Something else than a value, in words; and an example of one.
    Words(&'static str, &'static str),
}

/// One key of a configuration, about to be read.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    env: &'a Env,
    name: &'static str,
    about: &'static str,
}

impl Env {
    /// The process environment, over `.env` in the service's folder, over `.env` in the working directory.
    ///
    /// # Errors
    /// A `.env` file that exists and cannot be read.
    pub fn load(service_folder: &str) -> Result<Self, ConfigError> {
        let mut values = HashMap::new();
        for path in [Path::new(".env").to_path_buf(), Path::new(service_folder).join(".env")] {
            if !path.is_file() {
                continue;
            }
            let unreadable = |source| ConfigError::File { path: path.display().to_string(), source };
            for entry in dotenvy::from_path_iter(&path).map_err(unreadable)? {
                let (key, value) = entry.map_err(unreadable)?;
                values.insert(key, value);
            }
        }
        values.extend(std::env::vars());
        Ok(Self { values, described: None })
    }

    /// A configuration from pairs.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let values = pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { values, described: None }
    }

    /// The keys that `read` reads, in order. It is given a configuration in which no key has a value, but those without a
    /// default their example.
    ///
    /// # Errors
    /// If an example cannot be read.
    pub fn describe<C>(
        read: impl FnOnce(&Self) -> Result<C, ConfigError>,
    ) -> Result<Vec<DescribedKey>, ConfigError> {
        let described = Arc::<Mutex<Vec<DescribedKey>>>::default();
        read(&Self { values: HashMap::new(), described: Some(Arc::clone(&described)) })?;
        let mut described = described.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut described))
    }

    /// A key that is about to be read. `about` says in sentences what it is for, with unit and range, to the operator of a
    /// service: it stands in `.env.example` and in the documentation.
    #[must_use]
    pub const fn key(&self, name: &'static str, about: &'static str) -> Key<'_> {
        Key { env: self, name, about }
    }

    /// The value of a key that another place describes; an empty value counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<'a> Key<'a> {
    fn described(self, default: impl FnOnce() -> KeyDefault) -> Self {
        if let Some(described) = &self.env.described {
            let key = DescribedKey { name: self.name, about: self.about, default: default() };
            described.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        }
        self
    }

    fn value(self) -> Option<&'a str> {
        self.env.get(self.name)
    }

    /// Its value, which must be set; `example` works on a developer's machine.
    ///
    /// # Errors
    /// [`ConfigError`] if it is missing or cannot be read.
    pub fn required<T: FromStr<Err: Display>>(self, example: &'static str) -> Result<T, ConfigError> {
        let Self { env, name: key, about } = self.described(|| KeyDefault::Required(example));
        let example = env.described.is_some().then_some(example);
        let value = self.value().or(example).ok_or(ConfigError::Missing { key, about })?;
        parse(key, value)
    }

    /// Its value, if it is set. `without` says what happens if it is not.
    #[must_use]
    pub fn optional(self, without: &'static str, example: &'static str) -> Option<&'a str> {
        let Self { env, .. } = self.described(|| KeyDefault::Words(without, example));
        self.value().or(env.described.is_some().then_some(example))
    }

    /// Its value, or its default.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read.
    pub fn or<T: FromStr<Err: Display> + Display>(self, default: T) -> Result<T, ConfigError> {
        self.described(|| KeyDefault::Value(default.to_string()));
        self.value().map_or(Ok(default), |value| parse(self.name, value))
    }

    /// [`Self::or`] with the default as it would be set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it cannot be read.
    pub fn or_text<T: FromStr<Err: Display>>(self, default: &str) -> Result<T, ConfigError> {
        self.described(|| KeyDefault::Value(default.to_owned()));
        parse(self.name, self.value().unwrap_or(default))
    }

    /// [`Self::or`] for a default that depends on the machine; `words` and `example` show it.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read, or lies outside.
    pub fn within_or_as_found<N>(
        self,
        (found, words, example): (N, &'static str, &'static str),
        bounds: RangeInclusive<N>,
    ) -> Result<N, ConfigError>
    where
        N: FromStr<Err: Display> + Display + PartialOrd,
    {
        self.described(|| KeyDefault::Words(words, example)).bounded(found, bounds)
    }

    /// Where to listen; as [`Listen`] takes it.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read.
    pub fn listen(self, default: impl Into<SocketAddr>) -> Result<SocketAddr, ConfigError> {
        self.or(Listen(default.into())).map(|listen| listen.0)
    }

    /// [`Self::or`] for a number that has bounds.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is set and cannot be read, or lies outside.
    pub fn within<N>(self, default: N, bounds: RangeInclusive<N>) -> Result<N, ConfigError>
    where
        N: FromStr<Err: Display> + Display + PartialOrd,
    {
        self.described(|| KeyDefault::Value(default.to_string())).bounded(default, bounds)
    }

    fn bounded<N>(self, default: N, bounds: RangeInclusive<N>) -> Result<N, ConfigError>
    where
        N: FromStr<Err: Display> + Display + PartialOrd,
    {
        let value = self.value().map_or(Ok(default), |value| parse(self.name, value))?;
        if bounds.contains(&value) {
            return Ok(value);
        }
        Err(self.invalid(&value, format!("must be {} to {}", bounds.start(), bounds.end())))
    }

    /// For a value that cannot be used; `reason` says why.
    pub fn invalid(self, value: impl Display, reason: impl Into<String>) -> ConfigError {
        ConfigError::Invalid { key: self.name.to_owned(), value: value.to_string(), reason: reason.into() }
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

    const FOLD_DELAY: &str = "DAYBOOK_FOLD_DELAY_MS";

    fn fold_delay(env: &Env) -> Result<u64, ConfigError> {
        env.key(FOLD_DELAY, "It delays.").or(500)
    }

    #[test]
    fn a_value_that_cannot_be_read_is_named() {
        let error = fold_delay(&Env::from_pairs([(FOLD_DELAY, "soon")])).unwrap_err().to_string();
        assert_eq!(error, "DAYBOOK_FOLD_DELAY_MS = \"soon\" cannot be used: invalid digit found in string");
    }

    #[test]
    fn a_number_out_of_bounds_is_named_with_them() {
        let env = Env::from_pairs([("DAYBOOK_APPENDERS", "0")]);
        let error = env.key("DAYBOOK_APPENDERS", "").within(2, 1..=64).unwrap_err().to_string();
        assert_eq!(error, "DAYBOOK_APPENDERS = \"0\" cannot be used: must be 1 to 64");
    }

    #[test]
    fn an_empty_value_is_not_set() {
        let env = Env::from_pairs([(FOLD_DELAY, "")]);
        assert_eq!(fold_delay(&env).unwrap(), 500);
        let error = env.key(FOLD_DELAY, "It delays.").required::<u64>("1").unwrap_err().to_string();
        assert_eq!(error, "DAYBOOK_FOLD_DELAY_MS is not set. It delays.");
    }

    #[test]
    fn what_is_read_is_described_with_what_counts_without_it() {
        let read = |env: &Env| {
            let url: String = env.key("DAYBOOK_URL", "Where.").required("postgres://localhost")?;
            let mail = env.key("DAYBOOK_SMTP_URL", "Mail.").optional("no mail is sent", "smtp://localhost");
            assert_eq!((url.as_str(), mail), ("postgres://localhost", Some("smtp://localhost")));
            fold_delay(env)
        };
        let described = Env::describe(read).unwrap();
        let names: Vec<_> = described.iter().map(|key| key.name).collect();
        assert_eq!(names, ["DAYBOOK_URL", "DAYBOOK_SMTP_URL", FOLD_DELAY]);
        let defaults: Vec<_> = described.into_iter().map(|key| key.default).collect();
        assert_eq!(
            defaults,
            [
                KeyDefault::Required("postgres://localhost"),
                KeyDefault::Words("no mail is sent", "smtp://localhost"),
                KeyDefault::Value("500".to_owned()),
            ]
        );
    }
}
